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
export type { Bytes, Data } from './check.js';
export { run, start } from './default-pool.js';
export { AbortError, OffloopError, type OffloopErrorCode } from './errors.js';
export { Future, type FutureStatus } from './future.js';
export type { MapItem, MapOptions, Mapped, MapSource } from './map.js';
export type { NodePoolOptions } from './node-pool.js';
export type { PoolOptions, Priority, RunOptions } from './options.js';
export { type CloseOptions, Pool } from './pool.js';
export type { Progress } from './progress.js';
export type { Timing } from './settler.js';
export type { Durations, PoolStats } from './stats.js';
export type { StreamArguments, StreamOptions } from './streams/streams.js';
export type { CallOptions, ReadableTask, Task, TransformTask, WritableTask } from './task.js';
export type { TaskEvent } from './tracing.js';
