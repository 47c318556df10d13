/** What can be run. */
import type { CellWriter } from './cells.js';
import { invalidType } from './check.js';
import type { RunOptions } from './options.js';
import type { Pool } from './pool.js';

/** The last argument of a task that is called: where it runs, and how. */
export interface CallOptions extends RunOptions {
  /** Default: the default pool. */
  pool?: Pool;
}

/** Something a pool can run. `task(...args, { pool, ...options })` and `pool.run(task, args, options)` are the same call. */
export interface Task<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  (...args: [...Args, options?: CallOptions]): Promise<Result>;
  /** What a pool must know of it. (A name and not a symbol: loads by a symbol are not inlined, and cost each task 5 ns.) */
  readonly definition: Definition<Args, Result>;
}

/**
 * Made here, or it is not run: native code takes its word for what the operation is and which arguments it gets. In another
 * version of offloop the same number is another operation, and in another copy another queue.
 */
export class Definition<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** As in errors, and as the native operation is called. */
  readonly name: string;
  /** Index in the native table of operations. */
  readonly operation: number;
  /**
   * Checks the arguments and writes one cell for each the native body reads. Throws TypeError or RangeError; nothing has
   * been submitted then. Reads every argument before it writes the first cell: a getter may submit tasks of its own.
   */
  readonly encode: ((args: Args, cells: CellWriter) => void) | undefined;
  /** The last two arguments are queues, which a Worker supplies: its inbox and its outbox. */
  readonly channels: boolean;
  /** Makes the result of what the native body returned. Default: as it is. */
  readonly decode: ((value: never) => Result) | undefined;
  /** How the task works on streams, if it does. */
  readonly stream: StreamForm | undefined;
  readonly #isOwn = true;

  constructor(parts: DefinitionParts<Args, Result>) {
    this.name = parts.name;
    this.operation = parts.operation;
    this.encode = parts.encode;
    this.channels = parts.channels;
    this.decode = parts.decode;
    this.stream = parts.stream;
    Object.freeze(this);
  }

  static isOwn(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #isOwn in value;
  }
}

type DefinitionParts<Args extends readonly unknown[], Result> = Pick<
  Definition<Args, Result>,
  keyof Definition<Args, Result>
>;

/** @throws TypeError ERR_INVALID_ARG_TYPE for what is no task, or one of another copy of offloop */
export function definitionOf<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
): Definition<Args, Result> {
  const definition = task?.definition;
  if (Definition.isOwn(definition)) return definition;
  throw invalidType('task', definition === undefined ? 'a task of offloop' : 'a task of this copy of offloop', task);
}

/** Which streams a task makes. */
export type StreamKind = 'readable' | 'writable' | 'transform';

/** How a task works on streams. `Args`: its arguments but for the data; `Chunk`: what comes out. */
export interface StreamForm<
  Kind extends StreamKind = StreamKind,
  Args extends readonly unknown[] = never,
  Chunk = unknown,
> {
  readonly kind: Kind;
  /** Index of a step in the native table of operations. */
  readonly operation: number;
  /** Writes the cells of a step as those of the whole task, with a piece of the data. */
  readonly encode: (args: readonly unknown[], cells: CellWriter) => void;
  /** Puts a piece of the data in its place among the arguments. */
  readonly withData: (args: Args, data: Uint8Array) => readonly unknown[];
  /** What text among the chunks that are taken stands for. */
  readonly taking: 'utf8' | 'latin1';
  /** Makes chunks of text. */
  readonly toText: ((bytes: Buffer) => Chunk) | undefined;
}

interface OnStreams<Kind extends StreamKind, Args extends readonly unknown[], Chunk> {
  readonly definition: { readonly name: string; readonly stream?: StreamForm<Kind, Args, Chunk> | undefined };
}

/** A task that can be read from: see Pool.readable. `Args`: what it takes. */
export type ReadableTask<Args extends readonly unknown[]> = OnStreams<'readable', Args, Uint8Array>;

/** A task that can be written to: see Pool.writable. `Args`: what it takes, but for the data. */
export type WritableTask<Args extends readonly unknown[]> = OnStreams<'writable', Args, never>;

/** A task that data can be sent through: see Pool.transform. `Args`: what it takes, but for the data. */
export type TransformTask<Args extends readonly unknown[], Chunk = Buffer> = OnStreams<'transform', Args, Chunk>;
