/** What pools and runs can be told, checked and filled in. */
import type { InputMode } from './cells.js';
import { checkInteger, checkNumber, checkObject, checkOneOf, checkSignal, checkText, invalidType } from './check.js';
import { type NativePoolOptions, native } from './native.js';

export interface PoolOptions {
  /** In `stats()` and what is published; the threads are `name/0`, `name/1`, … Default: `pool-1`, `pool-2`, … */
  name?: string;
  /** Most threads, 1 to 1024; each is started when there is work for it. Default: the processors this process may use. */
  threads?: number;
  /** Tasks accepted and not begun, beyond those that free threads are about to take: 1 to 2²⁴. Default: 65,536. */
  capacity?: number;
  /**
   * What happens to a task beyond the capacity. 'reject': it rejects with ERR_OFFLOOP_QUEUE_FULL. 'wait': it waits all the
   * same, and is counted apart. 'drop-newest': it rejects with ERR_OFFLOOP_DROPPED. 'drop-oldest': the one that has
   * waited longest in the least urgent lane rejects with ERR_OFFLOOP_DROPPED in its place, unless all that wait are more
   * urgent. Default: 'reject'.
   */
  overflow?: 'reject' | 'wait' | 'drop-oldest' | 'drop-newest';
  /**
   * Milliseconds in which a waiting task rises by one of the eight lanes. So a task of lane L, 0 to 7, is overtaken by no
   * task that comes more than (L + 1) · agingMs after it. 1 to 2³¹ − 1. Default: 100.
   */
  agingMs?: number;
  /**
   * How long a thread that ran dry, and the event loop before it sleeps, spin for what is about to come: 'eco' not at
   * all, 'balanced' up to 10 µs, 'low' up to 50 µs. An idle pool always sleeps. Default: 'balanced'.
   */
  latency?: 'eco' | 'balanced' | 'low';
  /** Bytes of stack for each thread, 64 KiB to 1 GiB. Default: 1 MiB. */
  stackSize?: number;
  /** For tasks that name no budget of their own; see RunOptions. Default: none. */
  cpuBudgetMs?: number;
}

/** Limits are in milliseconds, fractions too, and not negative; Infinity is no limit. */
export interface RunOptions {
  /**
   * Cancels the task, which rejects at once with an AbortError whose `cause` is the signal's reason. One that waits leaves
   * the queue; one that runs sees its stop flag, and keeps its thread until it returns.
   */
  signal?: AbortSignal;
  /** 'high', 'normal' or 'low', or 0 (first) to 255 (last); 32 neighbouring numbers share a lane. Default: 'normal'. */
  priority?: Priority;
  /**
   * Milliseconds from now until which the task must have begun: if not, it is never run, and rejects with
   * ERR_OFFLOOP_DEADLINE then. In a lane, earlier deadlines go first, and go before tasks without one. Default: none.
   */
  deadlineMs?: number;
  /**
   * Milliseconds the task may run, what it sleeps included. Then its stop flag is raised, and it rejects with
   * ERR_OFFLOOP_TIMEOUT at once; its thread is free when the task returns. Default: none.
   */
  timeoutMs?: number;
  /**
   * Milliseconds of processor time the task may use. Then its stop flag is raised, and it rejects with
   * ERR_OFFLOOP_BUDGET at once. Default: the pool's.
   */
  cpuBudgetMs?: number;
  /**
   * Who owns the bytes of inputs until the task settles. 'copy' takes a copy. 'borrow' reads the caller's memory, which must
   * not be changed or transferred meanwhile; if it is detached all the same, the task rejects with ERR_OFFLOOP_DETACHED. (On
   * Node 21 and 22 `transfer(newLength)` frees it under the task: never do that.) 'move' detaches it from the caller, even
   * if the task is then refused; what cannot be detached is copied, and shared memory stays where it is. 'auto' copies up to
   * 64 KiB and borrows what is larger, or copies that too where its owner could free it: on Node 21 and 22, Bun, Deno and
   * Electron. Resizable ArrayBuffers are copied unless moved. Default: 'auto'.
   */
  input?: InputMode;
}

export type Priority = 'high' | 'normal' | 'low' | number;

/** What a task may use; infinite where there is no limit. */
export interface Limits {
  /** Milliseconds from now until which it must have begun. */
  readonly deadlineMs: number;
  /** Milliseconds it may run. */
  readonly timeoutMs: number;
  /** Milliseconds of processor time it may use. */
  readonly cpuBudgetMs: number;
  /** LIMITS_WATCHED, LIMITS_TELLS_START: what the ticket's listeners want to hear. */
  readonly flags: number;
}

/** How a task is to run, apart from where. */
export interface Terms {
  readonly priority: number;
  readonly input: InputMode;
  readonly limits: Limits | undefined;
}

export type FilledPoolOptions = Readonly<Required<PoolOptions>>;
export interface FilledRunOptions extends Terms {
  readonly signal: AbortSignal | undefined;
}

/** By the number that native code knows them by. */
export const OVERFLOWS = Object.freeze(['reject', 'wait', 'drop-oldest', 'drop-newest'] as const);

const LINGER_NS = Object.freeze({ eco: 0, balanced: 10_000, low: 50_000 });

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
    agingMs = 100,
    latency = 'balanced',
    stackSize = 1024 ** 2,
    cpuBudgetMs,
  } = options;
  return Object.freeze({
    name: name === undefined ? `pool-${++unnamed}` : checkText('options.name', name),
    threads: checkThreads('options.threads', threads ?? Math.min(native.parallelism, MOST_THREADS)),
    capacity: checkInteger('options.capacity', capacity, 1, MOST_CAPACITY),
    overflow: checkOneOf('options.overflow', overflow, OVERFLOWS),
    agingMs: checkInteger('options.agingMs', agingMs, 1, 2 ** 31 - 1),
    latency: checkOneOf('options.latency', latency, ['eco', 'balanced', 'low'] as const),
    stackSize: checkStackSize('options.stackSize', stackSize),
    cpuBudgetMs: checkLimit('options.cpuBudgetMs', cpuBudgetMs) ?? Number.POSITIVE_INFINITY,
  });
}

export function checkThreads(name: string, value: unknown): number {
  return checkInteger(name, value, 1, MOST_THREADS);
}

/** @param poolBudgetMs - for tasks that name none; `flags`: see ring.Limits */
export function fillRunOptions(
  options: RunOptions,
  poolBudgetMs = Number.POSITIVE_INFINITY,
  flags = 0,
): FilledRunOptions {
  checkObject('options', options);
  const { priority = 'normal', input = 'auto', deadlineMs, timeoutMs, cpuBudgetMs } = options;
  const signal = checkSignal('options.signal', options.signal);
  const limits = {
    deadlineMs: checkLimit('options.deadlineMs', deadlineMs) ?? Number.POSITIVE_INFINITY,
    timeoutMs: checkLimit('options.timeoutMs', timeoutMs) ?? Number.POSITIVE_INFINITY,
    cpuBudgetMs: checkLimit('options.cpuBudgetMs', cpuBudgetMs) ?? poolBudgetMs,
    flags,
  };
  const isLimited = Math.min(limits.deadlineMs, limits.timeoutMs, limits.cpuBudgetMs) < Number.POSITIVE_INFINITY;
  return {
    signal,
    priority: checkPriority(priority),
    input: checkOneOf('options.input', input, ['auto', 'copy', 'borrow', 'move'] as const),
    limits: isLimited || flags !== 0 ? limits : undefined,
  };
}

export function checkStackSize(name: string, value: unknown): number {
  return checkInteger(name, value, LEAST_STACK, MOST_STACK);
}

function checkPriority(value: unknown): number {
  if (typeof value === 'number') return checkInteger('options.priority', value, 0, 255);
  if (typeof value !== 'string') throw invalidType('options.priority', 'of type string or number', value);
  return PRIORITIES[checkOneOf('options.priority', value, ['high', 'normal', 'low'] as const)];
}

/** Milliseconds, fractions too. Infinity is no limit. */
function checkLimit(name: string, value: unknown): number | undefined {
  return value === undefined ? undefined : checkNumber(name, value, 0);
}

/** Options that native code knows, by the names it has for them. */
export const NATIVE_NAMES = [
  ['threads', 'threads'],
  ['capacity', 'capacity'],
  ['overflow', 'overflow'],
  ['agingMs', 'agingNs'],
  ['latency', 'lingerNs'],
  ['stackSize', 'stackBytes'],
] as const;

export function toNative(options: FilledPoolOptions): NativePoolOptions {
  const { name, threads, capacity, overflow, agingMs, latency, stackSize } = options;
  return {
    name,
    threads,
    capacity,
    overflow: OVERFLOWS.indexOf(overflow),
    agingNs: agingMs * 1e6,
    // On one processor a thread that spins only keeps the other from working.
    lingerNs: native.parallelism > 1 ? LINGER_NS[latency] : 0,
    stackBytes: stackSize,
  };
}
