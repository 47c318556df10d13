/** Scripts of what users do to a stream, and a record of what they see. */

import type { ReadableStream, WritableStream } from 'node:stream/web';
import { setImmediate } from 'node:timers/promises';

/** The sides there are. */
export interface Sides {
  readonly readable?: ReadableStream<unknown>;
  readonly writable?: WritableStream<unknown>;
}

/** What a signal, a cancel or an abort is for. */
export const REASON = Object.freeze({ name: 'the reason' });

const TURNS = 20;

/**
 * Plays a script on a stream. What becomes of each promise is noted with the name of its act; so is what can be read off.
 * After each act the script waits until nothing more happens: so what it sees depends on the order of things alone.
 */
export class Player {
  readonly #rounds: string[][] = [[]];
  readonly #isIdle: () => Promise<void>;
  readonly reader;
  readonly writer;
  #count = 0;

  /** @param isIdle resolves when whatever works for the stream has done so for now */
  constructor({ readable, writable }: Sides, isIdle: () => Promise<void>) {
    this.#isIdle = isIdle;
    this.reader = readable?.getReader();
    this.writer = writable?.getWriter();
    if (this.reader) this.note('reader.closed', this.reader.closed);
    if (this.writer) this.note('writer.closed', this.writer.closed);
  }

  note(what: string, promise: Promise<unknown> | undefined): void {
    promise?.then(
      (value) => this.#log(`${what} → ${shown(value)}`),
      (error) => this.#log(`${what} ✗ ${shown(error)}`),
    );
  }

  read(): void {
    this.note(`read ${++this.#count}`, this.reader?.read());
  }
  write(chunk: unknown): void {
    const name = `write ${++this.#count}`;
    try {
      this.note(name, this.writer?.write(chunk));
    } catch (error) {
      this.#log(`${name} throws ${shown(error)}`); // a bug of Node 20: to a stream that is closed
    }
    this.#log(`${name} leaves room for ${this.writer?.desiredSize}`);
    this.note(`ready after ${name}`, this.writer?.ready);
  }
  close(): void {
    this.note('close', this.writer?.close());
  }
  abort(reason: unknown = REASON): void {
    this.note('abort', this.writer?.abort(reason));
  }
  cancel(reason: unknown = REASON): void {
    this.note('cancel', this.reader?.cancel(reason));
  }

  /** What each round has brought, in a fixed order: rounds tell before and after. */
  async play(acts: ReadonlyArray<(player: Player) => void>): Promise<string[][]> {
    for (const act of acts) {
      act(this);
      await this.#quiet();
      this.#log(`room for ${this.#room()}`);
      this.#rounds.push([]);
    }
    return this.#rounds.map((round) => round.toSorted());
  }

  #room(): unknown {
    try {
      return this.writer?.desiredSize;
    } catch (error) {
      return shown(error); // Node throws for an errored stream's
    }
  }

  #log(text: string): void {
    this.#rounds.at(-1)?.push(text);
  }

  async #quiet(): Promise<void> {
    for (let turn = 0; turn < TURNS; ++turn) {
      await this.#isIdle();
      await setImmediate();
    }
  }
}

function shown(value: unknown): string {
  if (value === REASON) return 'the reason';
  if (value instanceof Error) return `${value.name} ${(value as { code?: string }).code ?? ''}`;
  if (ArrayBuffer.isView(value))
    return `bytes ${Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength).toString('latin1')}`;
  if (typeof value === 'object' && value !== null && 'done' in value) {
    return value.done ? 'the end' : shown((value as { value?: unknown }).value);
  }
  return String(value);
}
