/**
 * offloop: get native work off Node's event loop, and await it.
 *
 * @example
 * import { Pool } from 'offloop';
 * import { hash } from 'offloop/ops';
 *
 * const pool = new Pool({ name: 'hashing', threads: 2 });
 * const digest = await pool.run(hash, ['sha256', bytes]);
 * await pool.close();
 *
 * @packageDocumentation
 */
export type { InputMode } from './cells.js';
export type { Bytes } from './check.js';
export { run } from './default-pool.js';
export { AbortError, OffloopError, type OffloopErrorCode } from './errors.js';
export type { PoolOptions, Priority, RunOptions } from './options.js';
export { type CloseOptions, Pool, type PoolStats } from './pool.js';
export type { CallOptions, Task } from './task.js';
