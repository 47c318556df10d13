/** How an operation becomes a task that can be called. */
import type { CellWriter } from './cells.js';
import { checkObject, invalidType } from './check.js';
import { defaultPool } from './default-pool.js';
import { native } from './native.js';
import { Pool } from './pool.js';
import { type CallOptions, Definition, type StreamForm, type StreamKind, type Task } from './task.js';

export interface TaskOptions<Args extends readonly unknown[], Result> {
  /** Of the native operation. */
  name: string;
  /** Arguments before the options, when the task is called. */
  arity: number;
  /** See Definition. */
  encode?: (args: Args, cells: CellWriter) => void;
  decode?: (value: never) => Result;
  channels?: boolean;
  /** The task has options of its own: when it is called, they may share the last argument with the call's. */
  ownOptions?: boolean;
  /** How it works on streams. */
  stream?: StreamFormOptions;
}

/** See StreamForm. */
export interface StreamFormOptions {
  kind: StreamKind;
  /** Index of the data among the arguments. Default: the task takes none. */
  data?: number;
  /** Default: the task's own. */
  encode?: (args: never, cells: CellWriter) => void;
  /** Default: 'utf8'. */
  taking?: 'utf8' | 'latin1';
  toText?: (bytes: Buffer) => string;
}

/** @typeParam OnStreams what the task is to streams: a ReadableTask, a WritableTask or a TransformTask */
export function defineTask<Args extends readonly unknown[], Result, OnStreams extends object = object>(
  options: TaskOptions<Args, Result>,
): Task<Args, Result> & OnStreams {
  const { name, arity, encode, decode, channels = false, ownOptions = false } = options;
  const most = ownOptions ? arity + 1 : arity;
  const operation = native.operations.indexOf(name);
  const stream = options.stream && makeForm(name, encode, options.stream);
  const definition = new Definition<Args, Result>({ name, operation, encode, decode, channels, stream });
  // Named by its key: a function whose name is redefined becomes slow to look into, and every task looks.
  const { [name]: call } = {
    [name]: (...all: unknown[]): Promise<unknown> => {
      const args = all.slice(0, most) as never;
      const last = all.length > most ? all[most] : all[arity];
      if (last === undefined) return defaultPool().run(task, args);
      const { pool = defaultPool(), ...options } = checkObject('options', last) as CallOptions;
      if (!(pool instanceof Pool)) throw invalidType('options.pool', 'an instance of Pool', pool);
      return pool.run(task, args, options);
    },
  };
  const task = Object.assign(call as object, { definition }) as unknown as Task<Args, Result> & OnStreams;
  return task;
}

function makeForm(name: string, whole: unknown, options: StreamFormOptions): StreamForm {
  const { kind, data, encode = whole, taking = 'utf8', toText } = options;
  return Object.freeze({
    kind,
    operation: native.operations.length + native.steps.indexOf(name),
    encode: encode as StreamForm['encode'],
    withData(args: readonly unknown[], piece: Uint8Array) {
      if (data === undefined) return args;
      const before = Array.from({ length: data }, (_, index) => args[index]); // even where some are missing
      return [...before, piece, ...args.slice(data)];
    },
    taking,
    toText,
  });
}
