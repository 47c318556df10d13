/** Web streams whose work is done by tasks: sources, sinks, and what lies between. */
import type { ReadableStream, TransformStream, WritableStream } from 'node:stream/web';
import { checkInteger, checkNumber, checkObject, type Data, invalidType, invalidValue } from '../check.js';
import { fillRunOptions, type RunOptions } from '../options.js';
import {
  Definition,
  type ReadableTask,
  type StreamForm,
  type StreamKind,
  type TransformTask,
  type WritableTask,
} from '../task.js';
import { Stage, type SubmitStep } from './stage.js';
import { makeReadable, makeTransform, makeWritable, type Terms } from './stage-streams.js';

/**
 * What a stream is told. Each of its steps is a task, to which the options of runs apply: a limit is one for each step. The
 * signal is for the stream as a whole, and errors it.
 */
export interface StreamOptions extends Omit<RunOptions, 'input'> {
  /** Most bytes in a chunk that comes out: 1 KiB to 1 GiB. Default: 65,536. */
  chunkSize?: number;
  /**
   * How much is kept ready. Readable: bytes read ahead, default 0. Writable: chunks that wait for the sink, default 1.
   * Transform: chunks that wait for the reader, default 1; as many wait to be taken as in every TransformStream, 1.
   */
  highWaterMark?: number;
}

/** Arguments and options: the arguments may be left out where the task needs none. */
export type StreamArguments<Args extends readonly unknown[]> = [] extends Args
  ? [args?: Args, options?: StreamOptions]
  : [args: Args, options?: StreamOptions];

interface FilledStreamOptions extends Terms {
  readonly chunkSize: number;
  /** The rest: for each step. */
  readonly runOptions: RunOptions;
}

const LEAST_CHUNK = 1024;
const MOST_CHUNK = 1024 ** 3;

function fillStreamOptions(options: StreamOptions, defaultMark: number): FilledStreamOptions {
  const { input } = checkObject('options', options) as RunOptions;
  if (input !== undefined)
    throw invalidValue('options.input', 'is not for streams, which take turns with memory', input);
  const { chunkSize = 65_536, highWaterMark = defaultMark, signal, ...runOptions } = options;
  checkInteger('options.chunkSize', chunkSize, LEAST_CHUNK, MOST_CHUNK);
  checkNumber('options.highWaterMark', highWaterMark, 0);
  fillRunOptions({ ...runOptions, signal }); // mistakes throw now, not in the first step
  return { chunkSize, highWaterMark, signal, runOptions };
}

/** What pools do with streams. */
export abstract class Streams {
  /** @internal Submits steps, with these options for each. */
  protected abstract submitSteps(options: RunOptions): SubmitStep;

  /**
   * A stream of what a task produces: bytes, in chunks of up to `chunkSize`. Each is produced when somebody wants it, and
   * straight into the reader's memory if that brings its own (`getReader({ mode: 'byob' })`). While the reader is slow no
   * thread is held, and nothing is kept but what `highWaterMark` asks for.
   *
   * Cancelling the stream stops what is under way, and closes what is open; so does an error.
   *
   * @param task a task that can be read from, as `readFile` is
   * @param args what the task takes
   * @throws TypeError, RangeError at once for a task, arguments or options that cannot be, naming them
   * @rejects from `read()`: what the task itself ends with, and what every run does: see Pool.run
   * @example
   * for await (const chunk of pool.readable(readFile, ['video.mp4'])) socket.write(chunk);
   */
  readable<Args extends readonly unknown[]>(
    task: ReadableTask<Args>,
    ...[args, options]: StreamArguments<NoInfer<Args>>
  ): ReadableStream<Uint8Array> {
    const { stage, filled } = this.#begin(task, 'readable', args, options, 0);
    return makeReadable(stage, filled);
  }

  /**
   * A stream into a task. A write is done when native code has taken all of the chunk, in order; closing, when everything
   * is where it belongs and the sink is closed. Until then a chunk must not be changed or transferred. Nothing is opened
   * before the first write, or the close.
   *
   * Aborting the stream stops what is under way, and closes what is open; what has been written stays.
   *
   * @param task a task that can be written to, as `writeFile` is
   * @param args what the task takes, but for the data
   * @throws TypeError, RangeError at once for a task, arguments or options that cannot be, naming them
   * @rejects from `write()` and `close()`: what the task itself ends with, and what every run does: see Pool.run. A chunk
   *   that is neither text nor bytes errors the stream with a TypeError
   * @example
   * await pool.readable(readFile, ['a']).pipeTo(pool.writable(writeFile, ['b']));
   */
  writable<Args extends readonly unknown[]>(
    task: WritableTask<Args>,
    ...[args, options]: StreamArguments<NoInfer<Args>>
  ): WritableStream<Data> {
    const { stage, filled } = this.#begin(task, 'writable', args, options, 1);
    return makeWritable(stage, filled);
  }

  /**
   * A stream through a task: what is written to its `writable` comes out of its `readable` as the task makes it, in order,
   * in chunks of up to `chunkSize`. A write is done when native code has taken all of the chunk, and what came of it, but
   * for `highWaterMark` chunks, has been read: so a chunk that becomes a thousand times as large takes no more memory.
   *
   * An error, a signal and the end of either side go for both, and stop what is under way.
   *
   * @param task a task that data can be sent through, as `gzip` or `hash` are
   * @param args what the task takes, but for the data
   * @throws TypeError, RangeError at once for a task, arguments or options that cannot be, naming them
   * @rejects from both sides: what the task itself ends with, and what every run does: see Pool.run. A chunk that is
   *   neither text nor bytes errors the stream with a TypeError
   * @example
   * await source.pipeThrough(pool.transform(gzip, [{ level: 9 }])).pipeTo(pool.writable(writeFile, ['log.gz']));
   */
  transform<Args extends readonly unknown[], Chunk>(
    task: TransformTask<Args, Chunk>,
    ...[args, options]: StreamArguments<NoInfer<Args>>
  ): TransformStream<Data, Chunk> {
    const { stage, filled } = this.#begin(task, 'transform', args, options, 1);
    return makeTransform(stage, filled) as TransformStream<Data, Chunk>;
  }

  #begin(
    task: { readonly definition: { readonly name: string; readonly stream?: StreamForm | undefined } },
    kind: StreamKind,
    args: readonly unknown[] = [],
    options: StreamOptions = {},
    defaultMark: number,
  ) {
    const form = Definition.isOwn(task?.definition) ? task.definition.stream : undefined;
    if (form?.kind !== kind) throw invalidType('task', EXPECTED[kind], task);
    if (!Array.isArray(args)) throw invalidType('args', 'an instance of Array', args);
    const filled = fillStreamOptions(options, defaultMark);
    const submit = this.submitSteps(filled.runOptions);
    const stage = new Stage(task.definition.name, form, args, filled.chunkSize, submit);
    return { stage, filled };
  }
}

const EXPECTED = Object.freeze({
  readable: 'a task of offloop that can be read from',
  writable: 'a task of offloop that can be written to',
  transform: 'a task of offloop that data can be sent through',
});
