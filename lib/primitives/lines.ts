/** Lines of a terminal, a pipe or a file, read by a native thread. */
import type { Buffer } from 'node:buffer';
import { onAbort } from '../abort.js';
import { checkInteger, checkObject, checkOneOf, checkSignal, invalidType } from '../check.js';
import { AbortError } from '../errors.js';
import { readLines } from '../ops/lines.js';
import { Worker } from './worker.js';

export interface LinesOptions {
  /** Ends the lines with an AbortError. */
  signal?: AbortSignal;
  /** Default: 'utf8', in which what is wrong becomes U+FFFD. */
  encoding?: 'utf8' | 'latin1';
}

/** Bytes of a line; a longer one is an error. */
const LONGEST = 16 * 1024 ** 2;
/** Lines read ahead: as many of the longest as anyone has memory for. */
const AHEAD = 128;

type Line = IteratorResult<string, undefined>;
const DONE: Line = Object.freeze({ value: undefined, done: true });

/**
 * The lines of a descriptor, without their ends (`\n` or `\r\n`); what stands behind the last one is a line too. A native
 * thread waits for them, so that nothing is read before the first is asked for, and no more than 128 lines and 64 KiB
 * ahead. How a terminal lets a line be edited is left to the terminal; a console of Windows gives UTF-8.
 *
 * Ends at the end of the input, when the loop is left (or by `return()`), or when `signal` is aborted. Until then its
 * thread keeps the process alive. The descriptor stays open, and
 * as it was; what had been read ahead is lost. Nobody else may read it meanwhile: leave the stream paused.
 *
 * @param input - a stream with a descriptor, as `process.stdin`, or a descriptor
 * @throws TypeError, RangeError for an input or options that cannot be
 * @rejects from `next()`: ABORT_ERR; ERR_OFFLOOP_SYSTEM, with what the system said; ERR_OFFLOOP_TASK_FAILED for a line
 *   that is longer than 16 MiB
 * @example for await (const line of lines(process.stdin)) console.log(line.toUpperCase());
 */
export function lines(input: number | { readonly fd: number }, options: LinesOptions = {}): Lines {
  const descriptor = typeof input === 'number' ? input : (input as { fd?: unknown } | null)?.fd;
  if (typeof descriptor !== 'number') throw invalidType('input', 'of type number or a stream with a descriptor', input);
  checkInteger('input', descriptor, 0, 2 ** 31 - 1);
  const { signal, encoding = 'utf8' } = checkObject('options', options) as LinesOptions;
  checkOneOf('options.encoding', encoding, ['utf8', 'latin1'] as const);
  checkSignal('options.signal', signal);
  return new Lines(descriptor, signal, encoding);
}

/** What `lines` returns. */
export class Lines implements AsyncIterableIterator<string, undefined>, AsyncDisposable {
  readonly #start: () => Worker<number>;
  readonly #signal: AbortSignal | undefined;
  readonly #encoding: 'utf8' | 'latin1';
  #worker: Worker<number> | undefined;
  #ignoreSignal: (() => void) | undefined;
  #ended = false;

  /** @internal */
  constructor(descriptor: number, signal: AbortSignal | undefined, encoding: 'utf8' | 'latin1') {
    const options = { name: 'offloop/lines', inbox: { capacity: 1 }, outbox: { capacity: AHEAD } };
    this.#start = () => Worker.spawn(readLines, [descriptor, LONGEST, encoding !== 'utf8'], options);
    this.#signal = signal;
    this.#encoding = encoding;
  }

  /** The next line. Calls need not wait for one another. */
  async next(): Promise<Line> {
    if (this.#ended) return DONE;
    const signal = this.#signal;
    try {
      if (signal?.aborted) throw new AbortError(signal.reason);
      this.#worker ??= this.#begin();
      const line = await this.#worker.outbox.receive({ signal });
      if (line === undefined) {
        await this.#worker.join();
        await this.#end();
        return DONE;
      }
      const value = typeof line === 'string' ? line : (line as Buffer).toString(this.#encoding);
      return { value, done: false };
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  /** Ends; calls of `next()` that wait are answered as done. */
  async return(): Promise<Line> {
    await this.#end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  #begin(): Worker<number> {
    const worker = this.#start();
    // Whether somebody waits or not: the thread would keep the process alive.
    if (this.#signal) this.#ignoreSignal = onAbort(this.#signal, () => worker.stop());
    return worker;
  }

  async #end(): Promise<void> {
    this.#ended = true;
    this.#ignoreSignal?.();
    this.#worker?.stop();
    await this.#worker?.join().catch(() => {}); // next() has told
  }
}
