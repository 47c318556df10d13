/** What can be run. */
import type { CellWriter } from './cells.js';
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

export interface Definition<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** As in errors, and as the native operation is called. */
  readonly name: string;
  /** Index in the native table of operations. */
  readonly operation: number;
  /**
   * Checks the arguments and writes one cell for each the native body reads. Throws TypeError or RangeError; nothing has
   * been submitted then. Reads every argument before it writes the first cell: a getter may submit tasks of its own.
   */
  readonly encode: ((args: Args, cells: CellWriter) => void) | undefined;
  /** Makes the result of what the native body returned. Default: as it is. */
  readonly decode: ((value: never) => Result) | undefined;
}
