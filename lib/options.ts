/** What pools and runs can be told, checked and filled in. */
import type { InputMode } from './cells.js';
import { checkInteger, checkObject, checkOneOf, checkText, invalidType } from './check.js';
import { native } from './native.js';

export interface PoolOptions {
  /** In metrics and errors, and its threads are `name/0`, `name/1`, … Default: `pool-1`, `pool-2`, … */
  name?: string;
  /** Most threads, 1 to 1024; each is started when there is work for it. Default: the processors this process may use. */
  threads?: number;
  /** Tasks accepted and not begun, beyond those that free threads are about to take. Default: 65,536. */
  capacity?: number;
  /**
   * What happens to a task beyond the capacity: 'reject' rejects it with ERR_OFFLOOP_QUEUE_FULL; 'wait' keeps it in
   * JavaScript until there is room. Default: 'reject'.
   */
  overflow?: 'reject' | 'wait';
  /**
   * How long a thread that ran dry, and the event loop before it sleeps, spin for what is about to come: 'eco' not at
   * all, 'balanced' up to 10 µs, 'low' up to 50 µs. An idle pool always sleeps. Default: 'balanced'.
   */
  latency?: 'eco' | 'balanced' | 'low';
  /** Bytes of stack for each thread. Default: 1 MiB. */
  stackSize?: number;
}

export interface RunOptions {
  /**
   * Cancels the task: one that waits leaves the queue at once; one that runs sees its stop flag. It then rejects with an
   * AbortError whose `cause` is the signal's reason.
   */
  signal?: AbortSignal;
  /** 'high', 'normal' or 'low', or 0 (first) to 255 (last); 32 neighbouring numbers share a lane. Default: 'normal'. */
  priority?: Priority;
  /**
   * Who owns the bytes of inputs until the task settles: 'copy' takes a copy; 'borrow' reads the caller's memory, which
   * must not be changed, transferred or resized meanwhile; 'move' detaches it from the caller (what cannot be detached
   * is copied); 'auto' copies up to 64 KiB and borrows what is larger. Default: 'auto'.
   */
  input?: InputMode;
}

export type Priority = 'high' | 'normal' | 'low' | number;

export type FilledPoolOptions = Readonly<Required<PoolOptions>>;
export interface FilledRunOptions {
  readonly signal: AbortSignal | undefined;
  readonly priority: number;
  readonly input: InputMode;
}

export const LINGER_NS = Object.freeze({ eco: 0, balanced: 10_000, low: 50_000 });

const PRIORITIES = Object.freeze({ high: 0, normal: 128, low: 255 });
export const NORMAL_PRIORITY: number = PRIORITIES.normal;

const MOST_THREADS = 1024;
/** As many promises as anyone has memory for. */
const MOST_CAPACITY = 2 ** 24;
const LEAST_STACK = 64 * 1024;
const MOST_STACK = 1024 ** 3;

let unnamed = 0;

export function fillPoolOptions(options: PoolOptions = {}): FilledPoolOptions {
  checkObject('options', options);
  const {
    name,
    threads,
    capacity = 65_536,
    overflow = 'reject',
    latency = 'balanced',
    stackSize = 1024 ** 2,
  } = options;
  return Object.freeze({
    name: name === undefined ? `pool-${++unnamed}` : checkText('options.name', name),
    threads: checkInteger('options.threads', threads ?? Math.min(native.parallelism, MOST_THREADS), 1, MOST_THREADS),
    capacity: checkInteger('options.capacity', capacity, 1, MOST_CAPACITY),
    overflow: checkOneOf('options.overflow', overflow, ['reject', 'wait'] as const),
    latency: checkOneOf('options.latency', latency, ['eco', 'balanced', 'low'] as const),
    stackSize: checkInteger('options.stackSize', stackSize, LEAST_STACK, MOST_STACK),
  });
}

export function fillRunOptions(options: RunOptions): FilledRunOptions {
  checkObject('options', options);
  const { signal, priority = 'normal', input = 'auto' } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('options.signal', 'an instance of AbortSignal', signal);
  }
  return {
    signal,
    priority:
      typeof priority === 'number'
        ? checkInteger('options.priority', priority, 0, 255)
        : PRIORITIES[checkOneOf('options.priority', priority, ['high', 'normal', 'low'] as const)],
    input: checkOneOf('options.input', input, ['auto', 'copy', 'borrow', 'move'] as const),
  };
}
