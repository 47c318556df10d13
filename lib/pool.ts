/** Pools: threads of their own, for whatever is sent to them. */
import { onAbort } from './abort.js';
import { checkInteger, checkObject, checkText, invalidType, invalidValue } from './check.js';
import { AbortError, OffloopError, statusError } from './errors.js';
import { type Future, futureOf } from './future.js';
import { LIMITS_TELLS_START, LIMITS_WATCHED, POOLS } from './layout.js';
import { type MapOptions, Mapped, type MapSource, type Start } from './map.js';
import { checkNodePoolOptions, type NodePoolOptions, openNodePool } from './node-pool.js';
import {
  checkThreads,
  type FilledPoolOptions,
  type FilledRunOptions,
  fillPoolOptions,
  fillRunOptions,
  NATIVE_NAMES,
  NORMAL_PRIORITY,
  type PoolOptions,
  type RunOptions,
  toNative,
} from './options.js';
import * as ring from './ring.js';
import { Settler } from './settler.js';
import { makeStats, type PoolStats } from './stats.js';
import type { SubmitStep } from './streams/stage.js';
import { Streams } from './streams/streams.js';
import { type Definition, definitionOf, type Task } from './task.js';
import { Ticket } from './ticket.js';
import { isTraced, trace } from './tracing.js';

export interface CloseOptions {
  /**
   * What is left rejects with ERR_OFFLOOP_CANCELLED: waiting tasks at once; running ones, which see their stop flag, when
   * they return. Default: false.
   */
  cancel?: boolean;
  /** Milliseconds after which what is left is cancelled; an integer, 0 to 2³¹ − 1. Default: none. */
  timeoutMs?: number;
}

/** Whose threads a pool has. */
type Kind = 'own' | 'shared' | 'node';

const NO_ARGS: readonly [] = Object.freeze([]);

/** Pools that this thread has joined, by name. */
const joined = new Map<string, Pool>();

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
export class Pool extends Streams implements AsyncDisposable {
  readonly #options: FilledPoolOptions;
  readonly #lane: ring.Lane;
  readonly #drained: Array<() => void> = [];
  readonly #kind: Kind;
  /** Tasks without options go straight to the ring. */
  #direct: boolean;
  #closing: Promise<void> | undefined;
  #lastStats: PoolStats | undefined;

  /**
   * @throws TypeError, RangeError for options that cannot be, naming the option
   * @throws OffloopError ERR_OFFLOOP_SYSTEM when 4,096 pools are open
   */
  constructor(options?: PoolOptions);
  /** @internal */
  constructor(options: PoolOptions | undefined, kind: Kind);
  constructor(options?: PoolOptions, kind: Kind = 'own') {
    super();
    const filled = fillPoolOptions(options);
    const pool = kind === 'node' ? openNodePool(filled) : ring.openPool(toNative(filled), kind === 'shared');
    if (pool < 0) {
      throw new OffloopError('ERR_OFFLOOP_SYSTEM', `${POOLS} pools are open, and no more can be: close some`);
    }
    this.#options = kind === 'shared' ? { ...filled, capacity: ring.poolOptions(pool).capacity } : filled;
    this.#kind = kind;
    this.#lane = { pool, threads: ring.counts(pool).threads };
    this.#direct = filled.cpuBudgetMs === Number.POSITIVE_INFINITY;
  }

  /**
   * The process's pool of that name: one for all worker_threads, made by the first who asks for it. Each thread gets one
   * object, however often it asks; `close()` ends this thread's use, and the last user's ends the pool. A worker_thread
   * that ends takes only its own tasks along.
   *
   * @param options - the same for all; one that differs from the pool's throws. `cpuBudgetMs` is each thread's own
   * @throws TypeError ERR_INVALID_ARG_VALUE, naming the option that differs, and what the constructor throws
   * @example const pool = Pool.shared('images', { threads: 4 });
   */
  static shared(name: string, options: Omit<PoolOptions, 'name'> = {}): Pool {
    checkText('name', name);
    checkObject('options', options);
    const known = joined.get(name);
    const pool = known ?? new Pool({ ...options, name }, 'shared');
    const made = ring.poolOptions(pool.#lane.pool);
    const wanted = toNative(fillPoolOptions({ ...options, name }));
    for (const [option, field] of NATIVE_NAMES) {
      if (options[option] === undefined || made[field] === wanted[field]) continue;
      if (known === undefined) void pool.close();
      const reason = `must be what the shared pool '${name}' was made with, or left out`;
      throw invalidValue(`options.${option}`, reason, options[option]);
    }
    const { cpuBudgetMs } = options;
    if (cpuBudgetMs !== undefined && cpuBudgetMs !== pool.#options.cpuBudgetMs) {
      const reason = `must be what this thread joined the shared pool '${name}' with, or left out`;
      throw invalidValue('options.cpuBudgetMs', reason, cpuBudgetMs);
    }
    if (known === undefined) joined.set(name, pool);
    return pool;
  }

  /**
   * A share in Node's own thread pool, the one of `fs`, `dns.lookup`, `crypto` and `zlib`, with the face of every other
   * pool: for hosts where no threads may be started, and for moving over step by step. Each call makes one more share.
   *
   * What Node's pool cannot do, this one does not pretend to do:
   * - There is one queue for everybody, first in, first out. Priorities and deadlines do not change the order, and long
   *   tasks hold up files and look-ups, as those hold up tasks.
   * - There are as many threads as UV_THREADPOOL_SIZE said when Node started them, or 4: `resize()` throws, and how many
   *   sleep is not known: `threadsParked` is 0.
   * - `deadlineMs` rejects on time; Node may still hold the work, which then does nothing.
   * - `timeoutMs`, `cpuBudgetMs` and `signal` reject on time, and raise the stop flag of a task that runs. Its thread is
   *   Node's again when it returns. All times are kept by the event loop: while JavaScript blocks it, nobody is stopped.
   * - A task costs ten to thirty times what it costs in a pool of threads: Node takes and gives back tasks one by one.
   * - Node ends a process or a worker_thread only when its pool has done what runs. Tasks that have not begun are taken
   *   back, and those that look at their stop flag end; `scrypt`, `pbkdf2` and `lookup` are waited for.
   *
   * @throws TypeError, RangeError for options that cannot be, and those that only pools with threads of their own have
   * @throws OffloopError ERR_OFFLOOP_SYSTEM when 4,096 pools are open
   * @example const pool = Pool.node({ capacity: 1000, overflow: 'wait' });
   */
  static node(options: NodePoolOptions = {}): Pool {
    const { name, capacity, overflow, cpuBudgetMs } = checkNodePoolOptions(options);
    return new Pool({ name, capacity, overflow, cpuBudgetMs }, 'node');
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
   * @rejects as every run does. Refused, given up or late, and never run: ERR_OFFLOOP_QUEUE_FULL, ERR_OFFLOOP_DROPPED,
   *   ERR_OFFLOOP_DEADLINE, ERR_OFFLOOP_CLOSED. Stopped: ABORT_ERR, ERR_OFFLOOP_CANCELLED, ERR_OFFLOOP_TIMEOUT,
   *   ERR_OFFLOOP_BUDGET. ERR_OFFLOOP_NO_MEMORY; ERR_OFFLOOP_DETACHED for an input; ERR_OFFLOOP_SYSTEM where no thread can
   *   be started. And what the task itself ends with: see there
   * @example await pool.run(hash, ['sha256', bytes], { signal, priority: 'high' })
   */
  run<Result>(task: Task<readonly [], Result>, args?: readonly [], options?: RunOptions): Promise<Result>;
  run<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
    args: NoInfer<Args>,
    options?: RunOptions,
  ): Promise<Result>;
  run(task: Task<never, unknown>, args: readonly unknown[] = NO_ARGS, options?: RunOptions): Promise<unknown> {
    const definition = definitionOf(task);
    if (!Array.isArray(args)) throw invalidType('args', 'an instance of Array', args);
    if (options === undefined && this.#direct && !isTraced()) {
      return ring.submit(this.#lane, definition, args, NORMAL_PRIORITY);
    }
    return this.#runWith(definition, args, options ?? {});
  }

  /**
   * Runs a task as `run` does, and returns a handle on it: a Future can be cancelled, watched and combined. It costs more
   * than a promise.
   *
   * @throws TypeError, RangeError at once for a task, arguments or options that cannot be, naming them
   * @rejects as `run`; ERR_OFFLOOP_CANCELLED also when the Future is cancelled
   * @example const job = pool.start(gzip, [bytes]); job.onSuccess(send); setTimeout(() => job.cancel('too late'), 500)
   */
  start<Result>(task: Task<readonly [], Result>, args?: readonly [], options?: RunOptions): Future<Result>;
  start<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
    args: NoInfer<Args>,
    options?: RunOptions,
  ): Future<Result>;
  start(task: Task<never, unknown>, args: readonly unknown[] = NO_ARGS, options?: RunOptions): Future<unknown> {
    const definition = definitionOf(task);
    if (!Array.isArray(args)) throw invalidType('args', 'an instance of Array', args);
    const traced = isTraced();
    const flags = LIMITS_WATCHED | (traced ? LIMITS_TELLS_START : 0);
    const filled = fillRunOptions(options ?? {}, this.#options.cpuBudgetMs, flags);
    const ticket = new Ticket(definition.name, definition.decode);
    const settler = new Settler<unknown>(definition.name);
    ticket.resolve = (value) => settler.fulfil(value);
    ticket.reject = (error, how) => settler.reject(error, how);
    ticket.listeners.push({
      progressed: (done, total) => settler.progress(done, Number.isNaN(total) ? undefined : total),
      took: (queuedNs, runNs, cpuNs) => settler.time(queuedNs, runNs, cpuNs),
    });
    settler.steering = {
      isRunning: () => ring.isRunning(ticket),
      cancel: (reason) => ring.cancel(ticket, reason),
      watch: () => ring.watch(ticket),
    };
    this.#submit(definition, args, filled, ticket, traced);
    return futureOf(settler);
  }

  /**
   * Runs a task for each item of a source, which is pulled no faster than the results are consumed, and not before the
   * first is asked for.
   *
   * Leaving the loop ends the source and cancels what is in flight, and so does a task or a source that fails, and an
   * aborted signal. That waits until tasks that run have returned, and for the source's `return()`: an async generator must
   * come back from what it awaits, so let that look at the same signal.
   *
   * @param task from `offloop/ops`
   * @param iterable lists of arguments; where one argument is enough, the argument itself
   * @throws TypeError, RangeError at once for a task, source or options that cannot be, naming them
   * @rejects from `next()`: what a task ends with or throws for a wrong item, what the source throws, ABORT_ERR
   * @example
   * for await (const { address } of pool.map(lookup, hosts, { concurrency: 8 })) console.log(address);
   */
  map<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
    iterable: NoInfer<MapSource<Args>>,
    options?: MapOptions,
  ): Mapped<Result> {
    const definition = definitionOf(task);
    const start: Start<Result> = (args, runOptions, onHome) => {
      const ticket = new Ticket(definition.name, definition.decode);
      ticket.listeners.push({ cameHome: onHome });
      const promise = ticket.promise();
      this.#submitWith(definition, args, runOptions, ticket);
      return promise as Promise<Result>;
    };
    return new Mapped(start, this.#lane.threads, iterable, options);
  }

  /** How the pool is doing now, or how it ended. Takes some 50 µs: the percentiles are computed of thousands of counts. */
  stats(): PoolStats {
    return this.#lastStats === undefined ? this.#takeStats() : structuredClone(this.#lastStats);
  }

  /**
   * Sets how many threads there may be, at any time: more are started when there is work for them; those that are too many
   * end when they have done what they do. A shared pool is resized for all; a closed one is not.
   *
   * @param threads - 1 to 1024
   * @throws TypeError, RangeError
   * @throws OffloopError ERR_OFFLOOP_UNSUPPORTED for a share in Node's pool
   * @example pool.resize(2)
   */
  resize(threads: number): void {
    checkThreads('threads', threads);
    if (this.#kind === 'node') {
      const why =
        "Node's pool cannot be resized: it has as many threads as UV_THREADPOOL_SIZE said when it started them";
      throw new OffloopError('ERR_OFFLOOP_UNSUPPORTED', why);
    }
    if (this.#closing !== undefined) return;
    ring.flush();
    ring.resize(this.#lane.pool, threads);
    this.#lane.threads = threads;
  }

  /** Resolves when nothing is in flight: every task that this thread has submitted has settled, and left its worker. */
  async drain(): Promise<void> {
    ring.flush();
    if (this.#isIdle()) return;
    ring.watchBatches(this.#onBatch);
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /**
   * Accepts no more tasks, waits for those that were accepted, and ends the threads. Resolves when the last thread is
   * done; calling it again returns the same promise, and can only add `cancel` or `timeoutMs`. In a shared pool it is about
   * this thread's tasks alone, and the last user ends the threads.
   *
   * @throws TypeError, RangeError for options that cannot be
   * @example await pool.close({ timeoutMs: 5000 })
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

  /** @internal */
  protected override submitSteps(options: RunOptions): SubmitStep {
    return (definition, args, ticket) => this.#submitWith(definition, args, options, ticket);
  }

  #runWith(definition: Definition<never, unknown>, args: readonly unknown[], options: RunOptions): Promise<unknown> {
    const traced = isTraced();
    const filled = fillRunOptions(options, this.#options.cpuBudgetMs, traced ? LIMITS_TELLS_START : 0);
    const { signal, priority, input, limits } = filled;
    if (this.#direct && signal === undefined && limits === undefined && input === 'auto') {
      return ring.submit(this.#lane, definition, args, priority);
    }
    const ticket = new Ticket(definition.name, definition.decode);
    const promise = ticket.promise();
    this.#submit(definition, args, filled, ticket, traced);
    return promise;
  }

  #submitWith(
    definition: Definition<never, unknown>,
    args: readonly unknown[],
    options: RunOptions,
    ticket: Ticket,
  ): void {
    const traced = isTraced();
    const filled = fillRunOptions(options, this.#options.cpuBudgetMs, traced ? LIMITS_TELLS_START : 0);
    this.#submit(definition, args, filled, ticket, traced);
  }

  #submit(
    definition: Definition<never, unknown>,
    args: readonly unknown[],
    options: FilledRunOptions,
    ticket: Ticket,
    traced: boolean,
  ): void {
    const { signal, priority } = options;
    if (this.#closing !== undefined || signal?.aborted) {
      ring.check(definition, args);
      if (signal?.aborted) ticket.fail(new AbortError(signal.reason), 'cancelled');
      else ticket.fail(statusError('CLOSED', definition.name), 'rejected');
      ticket.home();
      return;
    }
    ring.submitTicket(this.#lane, definition, args, options, ticket);
    if (traced) ticket.listeners.push(trace(definition.name, this.name, priority));
    if (signal) ticket.release = onAbort(signal, (reason) => ring.cancel(ticket, reason));
  }

  /** Something has settled: tells those that wait for the end. */
  readonly #onBatch = (): void => {
    ring.flush();
    if (!this.#isIdle()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
    ring.unwatchBatches(this.#onBatch);
  };

  #isIdle(): boolean {
    if (this.#lastStats !== undefined) return true; // closed: its number may be another pool's by now
    return ring.inFlight[this.#lane.pool] === 0;
  }

  #cancelAll(): void {
    if (this.#lastStats !== undefined) return; // closed already
    ring.flush();
    ring.cancelAll(this.#lane.pool);
  }

  async #close(): Promise<void> {
    if (this.#kind === 'shared') joined.delete(this.name);
    await this.drain();
    const { pool } = this.#lane;
    const stats = this.#takeStats();
    await ring.openSlotFor((slot, generation) => {
      ring.closePool(pool, slot, generation);
      this.#lastStats = { ...stats, threadsStarted: 0, threadsParked: 0 };
    });
  }

  #takeStats(): PoolStats {
    ring.flush();
    const { pool } = this.#lane;
    return makeStats(this.#options, ring.counts(pool), ring.inFlight[pool] as number);
  }
}
