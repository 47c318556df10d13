/** Pools: threads of their own, for whatever is sent to them. */
import { onAbort } from './abort.js';
import { Backlog } from './backlog.js';
import { checkInteger, checkObject, invalidType } from './check.js';
import { AbortError, OffloopError, statusError } from './errors.js';
import { POOLS } from './layout.js';
import { native } from './native.js';
import {
  type FilledPoolOptions,
  type FilledRunOptions,
  fillPoolOptions,
  fillRunOptions,
  LINGER_NS,
  NORMAL_PRIORITY,
  type PoolOptions,
  type RunOptions,
} from './options.js';
import * as ring from './ring.js';
import type { Definition, Task } from './task.js';
import { Ticket } from './ticket.js';

export interface CloseOptions {
  /** Waiting tasks reject with ERR_OFFLOOP_CANCELLED, running ones see their stop flag. Default: false. */
  cancel?: boolean;
  /** Milliseconds after which what is left is cancelled. Default: none. */
  timeoutMs?: number;
}

/** A snapshot of a pool. Counts of tasks are since it was made. */
export interface PoolStats {
  readonly name: string;
  /** Most threads, and how many of them have been started. */
  readonly threads: number;
  readonly threadsStarted: number;
  /** Threads asleep for want of work. */
  readonly threadsParked: number;
  readonly capacity: number;
  /** Accepted, and not yet in a thread's hands. */
  readonly queued: number;
  readonly running: number;
  /** Kept in JavaScript until there is room: overflow 'wait'. */
  readonly waiting: number;
  /** Accepted and not settled: queued, running, or done and on their way back. */
  readonly inFlight: number;
  readonly fulfilled: number;
  readonly rejected: number;
  readonly cancelled: number;
  /** Never accepted: the pool was full. */
  readonly refused: number;
}

const NO_ARGS: readonly [] = Object.freeze([]);
const [OK, QUEUE_FULL, CANCELLED] = ['OK', 'QUEUE_FULL', 'CANCELLED'].map((name) =>
  native.statuses.findIndex(([known]) => known === name),
) as [number, number, number];

/**
 * Native threads that run tasks off the event loop. Pools do not share threads, so what floods one cannot delay another.
 *
 * The process stays alive while tasks are in flight, and does not for an idle pool.
 *
 * @example
 * const pool = new Pool({ name: 'images', threads: 4 });
 * const digest = await pool.run(hash, ['sha256', bytes], { priority: 'high' });
 * await pool.close();
 */
export class Pool implements AsyncDisposable {
  readonly #options: FilledPoolOptions;
  readonly #lane: ring.Lane;
  readonly #backlog = new Backlog();
  readonly #drained: Array<() => void> = [];
  /** Tasks without options go straight to the ring. */
  #direct: boolean;
  #closing: Promise<void> | undefined;
  #lastStats: PoolStats | undefined;

  /**
   * @throws TypeError, RangeError for options that cannot be, naming the option
   * @throws OffloopError ERR_OFFLOOP_SYSTEM when 4,096 pools are open
   */
  constructor(options?: PoolOptions) {
    const filled = fillPoolOptions(options);
    const { name, threads, capacity, latency, stackSize } = filled;
    const pool = ring.openPool(name, threads, capacity, LINGER_NS[latency], stackSize);
    if (pool < 0)
      throw new OffloopError('ERR_OFFLOOP_SYSTEM', `${POOLS} pools are open, and no more can be: close some`);
    this.#options = filled;
    this.#lane = { pool, threads };
    this.#direct = filled.overflow === 'reject';
  }

  get name(): string {
    return this.#options.name;
  }

  /**
   * Runs a task on one of the pool's threads.
   *
   * @param task from `offloop/ops`
   * @param args what the task takes
   * @throws TypeError, RangeError at once for a task, arguments or options that cannot be, naming them
   * @rejects ERR_OFFLOOP_QUEUE_FULL, ERR_OFFLOOP_CLOSED (never run), ABORT_ERR, ERR_OFFLOOP_CANCELLED, and what the task
   *   itself ends with
   * @example await pool.run(hash, ['sha256', bytes], { signal, priority: 'high' })
   */
  run<Result>(task: Task<readonly [], Result>, args?: readonly [], options?: RunOptions): Promise<Result>;
  run<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
    args: NoInfer<Args>,
    options?: RunOptions,
  ): Promise<Result>;
  run(task: Task<never, unknown>, args: readonly unknown[] = NO_ARGS, options?: RunOptions): Promise<unknown> {
    const definition = task?.definition;
    if (definition === undefined) throw invalidType('task', 'a task of offloop', task);
    if (!Array.isArray(args)) throw invalidType('args', 'an instance of Array', args);
    if (options === undefined && this.#direct) return ring.submit(this.#lane, definition, args, NORMAL_PRIORITY);
    return this.#runWith(definition, args, fillRunOptions(options ?? {}));
  }

  /** How the pool is doing now. */
  stats(): PoolStats {
    return this.#lastStats ?? this.#takeStats();
  }

  /** Resolves when nothing is in flight or waiting: every task accepted until then has settled. */
  async drain(): Promise<void> {
    ring.flush();
    if (this.#isIdle()) return;
    ring.watchBatches(this.#onBatch);
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /**
   * Accepts no more tasks, waits for those that were accepted, and ends the threads. Resolves when the last thread is
   * done; calling it again returns the same promise, and can only add `cancel`.
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkObject('options', options);
    const { cancel = false, timeoutMs } = options;
    if (typeof cancel !== 'boolean') throw invalidType('options.cancel', 'of type boolean', cancel);
    if (timeoutMs !== undefined) checkInteger('options.timeoutMs', timeoutMs, 0, 2 ** 31 - 1);
    this.#direct = false;
    this.#closing ??= this.#close();
    if (cancel) this.#cancelAll();
    else if (timeoutMs !== undefined) {
      const timer = setTimeout(() => this.#cancelAll(), timeoutMs);
      this.#closing.finally(() => clearTimeout(timer));
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #runWith(
    definition: Definition<never, unknown>,
    args: readonly unknown[],
    options: FilledRunOptions,
  ): Promise<unknown> {
    const { signal, priority, input } = options;
    if (this.#closing !== undefined || signal?.aborted) {
      ring.check(definition, args);
      return Promise.reject(signal?.aborted ? new AbortError(signal.reason) : statusError('CLOSED', definition.name));
    }
    if (this.#direct && signal === undefined && input === 'auto') {
      return ring.submit(this.#lane, definition, args, priority);
    }
    const ticket = new Ticket(definition.decode);
    if (this.#options.overflow === 'wait' && !this.#hasRoom()) return this.#wait(definition, args, options, ticket);
    const promise = ring.submitTicket(this.#lane, definition, args, priority, input, ticket);
    if (signal) ticket.onSettle = onAbort(signal, (reason) => ring.cancel(ticket, reason));
    return promise;
  }

  /** Keeps a task, with its inputs as they are now, until the pool has room. */
  #wait(
    definition: Definition<never, unknown>,
    args: readonly unknown[],
    { signal, priority, input }: FilledRunOptions,
    ticket: Ticket,
  ): Promise<unknown> {
    const saved = ring.save(definition, args, input);
    const waiting = { operation: definition.operation, priority, saved, ticket };
    if (signal) {
      ticket.onSettle = onAbort(signal, (reason) => {
        if (ticket.slot >= 0) ring.cancel(ticket, reason);
        else this.#backlog.reject(waiting, reason);
      });
    }
    this.#backlog.add(waiting);
    ring.watchBatches(this.#onBatch);
    return new Promise((resolve) => {
      ticket.resolve = resolve;
    });
  }

  #hasRoom(): boolean {
    const limit = this.#options.capacity + this.#options.threads;
    if (this.#backlog.size > 0) return false; // first come, first served
    return this.#fits(limit);
  }

  #fits(limit: number): boolean {
    const { pool } = this.#lane;
    if ((ring.inFlight[pool] as number) + ring.unflushed() < limit) return true;
    ring.flush();
    return (ring.inFlight[pool] as number) < limit;
  }

  /** Something has settled: lets in those that wait, and tells those that wait for the end. */
  readonly #onBatch = (): void => {
    const limit = this.#options.capacity + this.#options.threads;
    while (this.#backlog.size > 0 && this.#fits(limit)) {
      const { operation, priority, saved, ticket } = this.#backlog.shift();
      ring.submitSaved(this.#lane, operation, priority, saved, ticket);
    }
    if (this.#backlog.size > 0) return;
    if (this.#drained.length > 0) {
      ring.flush();
      if (!this.#isIdle()) return;
      for (const resolve of this.#drained.splice(0)) resolve();
    }
    ring.unwatchBatches(this.#onBatch);
  };

  #isIdle(): boolean {
    return ring.inFlight[this.#lane.pool] === 0 && this.#backlog.size === 0;
  }

  #cancelAll(): void {
    if (this.#lastStats !== undefined) return; // closed already
    this.#backlog.rejectAll(() => statusError('CANCELLED'));
    ring.flush();
    ring.cancelAll(this.#lane.pool);
  }

  async #close(): Promise<void> {
    await this.drain();
    this.#lastStats = { ...this.#takeStats(), threadsStarted: 0, threadsParked: 0 };
    await ring.openSlotFor((slot, generation) => ring.closePool(this.#lane.pool, slot, generation));
  }

  #takeStats(): PoolStats {
    ring.flush();
    const { name, threads, capacity } = this.#options;
    const { pool } = this.#lane;
    const [queued, running, threadsStarted, threadsParked, ...ended] = ring.counts(pool);
    const tally = (status: number): number => ended[status] as number;
    const settled = ended.reduce((sum, count) => sum + count, 0);
    return {
      name,
      threads,
      threadsStarted,
      threadsParked,
      capacity,
      queued,
      running,
      waiting: this.#backlog.size,
      inFlight: ring.inFlight[pool] as number,
      fulfilled: tally(OK),
      rejected: settled - tally(OK) - tally(CANCELLED) - tally(QUEUE_FULL),
      cancelled: tally(CANCELLED),
      refused: tally(QUEUE_FULL),
    };
  }
}
