/** Pools over Node's own: what they are told, and what must be told to them. */
import { checkObject, invalidValue } from './check.js';
import { type FilledPoolOptions, OVERFLOWS, type PoolOptions } from './options.js';
import { endNodePools, openNodePool as openNative } from './ring.js';

export interface NodePoolOptions {
  /** In `stats()` and what is published. Default: `pool-1`, `pool-2`, … */
  name?: string;
  /** Tasks accepted and not begun, those included that a free thread is about to take. Default: 65,536. */
  capacity?: number;
  /**
   * What happens to a task beyond the capacity; see PoolOptions. 'drop-oldest' gives up the one that has waited longest,
   * whatever its priority. Default: 'reject'.
   */
  overflow?: PoolOptions['overflow'];
  /** For tasks that name no budget of their own; see RunOptions. Default: none. */
  cpuBudgetMs?: number;
}

/** Node's to decide. */
const FIXED = ['threads', 'agingMs', 'latency', 'stackSize'] as const;

/** Throws for options that only pools with threads of their own have. */
export function checkNodePoolOptions(options: NodePoolOptions): NodePoolOptions {
  const given: PoolOptions = checkObject('options', options);
  for (const name of FIXED) {
    const value = given[name];
    if (value !== undefined) throw invalidValue(`options.${name}`, "cannot be set for Node's pool", value);
  }
  return options;
}

let opened = 0;

/** The pool's number, or -1 when there are too many. */
export function openNodePool({ capacity, overflow }: FilledPoolOptions): number {
  // Before a process or a worker_thread exits, Node runs whatever its pool still holds to the end.
  if (++opened === 1) process.once('exit', endNodePools);
  return openNative(capacity, OVERFLOWS.indexOf(overflow));
}
