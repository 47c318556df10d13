/** What a pool tells about itself. */
import { type Counts, type Durations, native } from './native.js';
import type { FilledPoolOptions } from './options.js';

export type { Durations };

/**
 * A snapshot of a pool. Counts of tasks and durations are since it was made; of a shared pool, those of all its users.
 * A thread counts durations after it has sent its tasks home: the latest may be missing.
 */
export interface PoolStats {
  readonly name: string;
  /** Most threads, and how many of them have been started. */
  readonly threads: number;
  readonly threadsStarted: number;
  /** Threads asleep for want of work. The others work, or are looking for work. */
  readonly threadsParked: number;
  readonly capacity: number;
  /** Accepted, and not yet in a thread's hands. */
  readonly queued: number;
  /** Waiting tasks of each of the eight lanes, the most urgent first; those beyond the capacity included. */
  readonly lanes: readonly number[];
  /** In a thread's hands. */
  readonly running: number;
  /** Beyond the capacity: overflow 'wait'. */
  readonly waiting: number;
  /** This thread's: queued, running (though they may have been rejected meanwhile), or done and on their way back. */
  readonly inFlight: number;
  readonly fulfilled: number;
  /** Ended with an error, those that ran into a limit among them. Not those that were stopped, or never run. */
  readonly rejected: number;
  /** Of the rejected: those that ran longer than they may, and those that used more processor time than they may. */
  readonly timedOut: number;
  readonly overBudget: number;
  /** Stopped, before they ran or while they did: by a signal, by `cancel`, or by closing the pool. */
  readonly cancelled: number;
  /** Given up because the pool was full: overflow 'drop-oldest' and 'drop-newest'. */
  readonly dropped: number;
  /** Not begun before their deadline. */
  readonly expired: number;
  /** Never accepted, because the pool was full: overflow 'reject'. */
  readonly refused: number;
  /** From submission until a thread took them. */
  readonly queuedNs: Durations;
  /** On a thread. A task that yields counts once for each of its turns. */
  readonly runNs: Durations;
  /** Of processor time. Of tasks under 20 µs, which are not worth measuring, their run time. */
  readonly cpuNs: Durations;
}

const statusOf = (name: string): number => native.statuses.findIndex(([known]) => known === name);
const OK = statusOf('OK');
const QUEUE_FULL = statusOf('QUEUE_FULL');
const CANCELLED = statusOf('CANCELLED');
const DROPPED = statusOf('DROPPED');
const DEADLINE = statusOf('DEADLINE');
const TIMEOUT = statusOf('TIMEOUT');
const BUDGET = statusOf('BUDGET');

export function makeStats({ name, capacity }: FilledPoolOptions, counts: Counts, inFlight: number): PoolStats {
  const { threads, started, parked, queued, lanes, running, waiting, ended, queuedNs, runNs, cpuNs } = counts;
  const tally = (status: number): number => ended[status] as number;
  const others = [OK, QUEUE_FULL, CANCELLED, DROPPED, DEADLINE];
  return {
    name,
    threads,
    threadsStarted: started,
    threadsParked: parked,
    capacity,
    queued,
    lanes,
    running,
    waiting,
    inFlight,
    fulfilled: tally(OK),
    rejected: ended.reduce((sum, count, status) => (others.includes(status) ? sum : sum + count), 0),
    timedOut: tally(TIMEOUT),
    overBudget: tally(BUDGET),
    cancelled: tally(CANCELLED),
    dropped: tally(DROPPED),
    expired: tally(DEADLINE),
    refused: tally(QUEUE_FULL),
    queuedNs,
    runNs,
    cpuNs,
  };
}
