/** Workers: a native thread of its own for work that never ends. */
import { checkInteger, checkObject, checkText, invalidType } from '../check.js';
import { OffloopError } from '../errors.js';
import { checkStackSize, NORMAL_PRIORITY, OVERFLOWS } from '../options.js';
import * as ring from '../ring.js';
import { type Definition, definitionOf, type Task } from '../task.js';
import { Ticket } from '../ticket.js';
import { fillQueueOptions, Queue, type QueueOptions } from './queue.js';

export interface WorkerOptions {
  /** The thread's name, of which the system shows 15 bytes. Default: `worker-1`, `worker-2`, … */
  name?: string;
  /** Bytes of stack, 64 KiB to 1 GiB. Default: 1 MiB. */
  stackSize?: number;
  /** Of the queues that the task gets, if it takes any. */
  inbox?: QueueOptions;
  outbox?: QueueOptions;
}

export interface JoinOptions {
  /** Milliseconds, an integer, 0 to 2³¹ − 1. Default: none. */
  timeoutMs?: number;
}

/** 'stopping' from `stop()` until the thread has ended. */
export type WorkerState = 'running' | 'stopping' | 'stopped';

/** What is left of a task's arguments when a Worker supplies the queues. */
export type SpawnArgs<Args extends readonly unknown[]> = Args extends readonly [...infer Rest, Queue, Queue]
  ? Rest
  : Args;

const TERMS = Object.freeze({ priority: NORMAL_PRIORITY, input: 'auto', limits: undefined });
let unnamed = 0;

/**
 * A native thread that runs one task, which may go on for ever. Tasks that take queues as their last two arguments get the
 * Worker's: they receive from its inbox and send to its outbox.
 *
 * The process stays alive while the task runs. A task that fails tells so when it is joined.
 *
 * @example
 * const worker = Worker.spawn(relay, [], { name: 'echo' });
 * await worker.inbox.send('hello');
 * console.log(await worker.outbox.receive());
 * worker.stop();
 * await worker.join({ timeoutMs: 1000 });
 */
export class Worker<Result = unknown> implements AsyncDisposable {
  readonly name: string;
  /** What the task receives from: send to it. Closed when the task has ended. */
  readonly inbox: Queue;
  /** What the task sends to: receive from it. Closed when the task has ended; what is there can still be received. */
  readonly outbox: Queue;
  #state: WorkerState = 'running';
  readonly #ticket: Ticket;
  readonly #ended: Promise<Result | undefined>;

  private constructor(definition: Definition<never, Result>, args: readonly unknown[], options: WorkerOptions) {
    const { name, stackSize = 1024 ** 2 } = checkObject('options', options) as WorkerOptions;
    this.name = name === undefined ? `worker-${++unnamed}` : checkText('options.name', name);
    checkStackSize('options.stackSize', stackSize);
    this.inbox = new Queue(fillQueueOptions('options.inbox', options.inbox ?? {}));
    this.outbox = new Queue(fillQueueOptions('options.outbox', options.outbox ?? {}));
    const all = definition.channels ? [...args, this.inbox, this.outbox] : args;
    ring.check(definition, all);
    const pool = ring.openPool({ ...POOL, name: this.name, stackBytes: stackSize }, false);
    if (pool < 0) throw new OffloopError('ERR_OFFLOOP_SYSTEM', 'too many pools and workers are open: join some');
    this.#ticket = new Ticket(definition.name, definition.decode);
    const settled = this.#ticket.promise() as Promise<Result>;
    try {
      ring.submitTicket({ pool, threads: 1 }, definition, all, TERMS, this.#ticket);
    } catch (error) {
      void closed(pool); // a getter among the arguments has changed its mind
      throw error;
    }
    this.#ended = this.#follow(settled, pool);
    this.#ended.catch(() => {}); // whoever joins is told
  }

  /**
   * Starts a thread that runs the task.
   *
   * @param task from `offloop/ops`
   * @param args what the task takes, without the queues that the Worker supplies
   * @throws TypeError, RangeError for a task, arguments or options that cannot be, naming them
   * @throws OffloopError ERR_OFFLOOP_SYSTEM when 4,096 pools and Workers are open
   */
  static spawn<Args extends readonly unknown[], Result>(
    task: Task<Args, Result>,
    args: NoInfer<SpawnArgs<Args>>,
    options: WorkerOptions = {},
  ): Worker<Result> {
    const definition = definitionOf(task);
    if (!Array.isArray(args)) throw invalidType('args', 'an instance of Array', args);
    return new Worker<Result>(definition, args, options);
  }

  get state(): WorkerState {
    return this.#state;
  }

  /**
   * Asks the task to end: raises its stop flag, wakes it where it waits for a queue, and closes the inbox. To have it
   * receive what is there before it ends, close the inbox instead.
   */
  stop(): void {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    ring.stop(this.#ticket); // first: or a task that waits may take it for the end of its messages
    this.inbox.close();
  }

  /**
   * Waits until the thread has ended. It is not asked to.
   *
   * @returns the task's result; undefined if it was stopped and has none
   * @throws TypeError, RangeError for options that cannot be
   * @rejects as the task; ERR_OFFLOOP_TIMEOUT when it has not ended in time, and goes on
   * @example await worker.join({ timeoutMs: 1000 })
   */
  join(options: JoinOptions = {}): Promise<Result | undefined> {
    const { timeoutMs } = checkObject('options', options) as JoinOptions;
    if (timeoutMs === undefined) return this.#ended;
    checkInteger('options.timeoutMs', timeoutMs, 0, 2 ** 31 - 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new OffloopError('ERR_OFFLOOP_TIMEOUT', `${this.name} has not ended in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#ended.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Stops and joins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.join();
  }

  async #follow(settled: Promise<Result>, pool: number): Promise<Result | undefined> {
    try {
      return await settled;
    } catch (error) {
      if (this.#state === 'stopping' && isEnd(error)) return undefined;
      throw error;
    } finally {
      this.inbox.close();
      this.outbox.close();
      await closed(pool);
      this.#state = 'stopped';
    }
  }
}

/** Resolves when the pool's thread has ended. */
function closed(pool: number): Promise<unknown> {
  return ring.openSlotFor((slot, generation) => ring.closePool(pool, slot, generation));
}

/** What a task ends with that was told to stop. */
function isEnd(error: unknown): boolean {
  const { code } = error as OffloopError;
  return code === 'ERR_OFFLOOP_CANCELLED' || code === 'ERR_OFFLOOP_CLOSED';
}

/** A pool of one thread, for one task: it need not linger. */
const POOL = Object.freeze({
  threads: 1,
  capacity: 1,
  overflow: OVERFLOWS.indexOf('reject'),
  agingNs: 1e9,
  lingerNs: 0,
  exactName: true,
});
