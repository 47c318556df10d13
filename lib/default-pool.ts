/** The pool of those who name none: made at first use, with the defaults of options, and never closed. */
import type { Future } from './future.js';
import type { RunOptions } from './options.js';
import { Pool } from './pool.js';
import type { Task } from './task.js';

let pool: Pool | undefined;

export function defaultPool(): Pool {
  pool ??= new Pool({ name: 'default' });
  return pool;
}

/** Runs a task on the default pool; see Pool.run. */
export function run<Result>(task: Task<readonly [], Result>, args?: readonly [], options?: RunOptions): Promise<Result>;
export function run<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Args>,
  options?: RunOptions,
): Promise<Result>;
export function run(task: Task<never, unknown>, args: readonly unknown[] = [], options?: RunOptions): Promise<unknown> {
  return defaultPool().run(task as Task<readonly unknown[]>, args, options);
}

/** Starts a task on the default pool; see Pool.start. */
export function start<Result>(
  task: Task<readonly [], Result>,
  args?: readonly [],
  options?: RunOptions,
): Future<Result>;
export function start<Args extends readonly unknown[], Result>(
  task: Task<Args, Result>,
  args: NoInfer<Args>,
  options?: RunOptions,
): Future<Result>;
export function start(
  task: Task<never, unknown>,
  args: readonly unknown[] = [],
  options?: RunOptions,
): Future<unknown> {
  return defaultPool().start(task as Task<readonly unknown[]>, args, options);
}
