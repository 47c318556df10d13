import type { PoolOptions, PoolStats, RunOptions } from '../../lib/index.js';
import type { Offloop } from './offloop.js';

/** What happens to a task: 'timed' has no end but its timeout, 'late' may be past its deadline before it begins. */
export type Kind = 'plain' | 'cancelled' | 'failing' | 'timed' | 'late' | 'twice';
/** How it ended, in the words of pool.stats(). */
export type End = 'fulfilled' | 'rejected' | 'cancelled' | 'refused' | 'dropped' | 'expired' | 'timedOut';

/** A task, and whether a result is right; `isEndless`: it goes on until it is stopped. */
export interface Work {
  task: unknown;
  args: readonly unknown[];
  isRight: (result: unknown) => boolean;
  isEndless?: boolean;
}

export interface LedgerOptions {
  /** The copy of offloop to be looked at. */
  offloop: Offloop;
  tasks: number;
  seed: number;
  /** In shares in Node's own pool. Default: false. */
  onNode?: boolean;
  /** Default: 20,000. */
  mostInFlight?: number;
  onSettled?: (settled: number) => void;
}

export interface Balance {
  tasks: number;
  ends: Record<End, number>;
  /** Tasks and counts that are not as they must be, and the first of them in words. */
  mistakes: number;
  named: string[];
}

/** Runs tasks in several pools until all have settled. Rejects, naming them, when nothing settles any more. */
export function keepLedger(options: LedgerOptions): Promise<Balance>;

/** Every end that some of many tasks must have met; else the ledger has shown less than it says. */
export const EXPECTED_ENDS: ReadonlySet<End>;

/** What a ledger uses of a copy of offloop. */
export type AnyPoolOptions = Omit<PoolOptions, 'overflow'> & { overflow: string };
export type AnyRunOptions = RunOptions & { timeoutMs?: number; deadlineMs?: number };
export interface AnyPool {
  run(task: unknown, args: readonly unknown[], options?: AnyRunOptions): Promise<unknown>;
  start(
    task: unknown,
    args: readonly unknown[],
    options?: AnyRunOptions,
  ): PromiseLike<unknown> & { cancel(reason?: unknown): boolean };
  stats(): PoolStats;
  drain(): Promise<void>;
  close(): Promise<void>;
}
