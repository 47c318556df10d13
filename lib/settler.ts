/** The task's end of a Future: what happens to the task is told here, and what becomes of it is asked of the task. */
import { OffloopError } from './errors.js';
import { ProgressFeed } from './progress.js';
import type { Resolve } from './ticket.js';

/** What a Future asks of the task behind it. */
export interface Steering {
  /** Whether a thread has begun it. */
  isRunning(): boolean;
  /** Has the task stopped: one that waits leaves, one that runs sees its stop flag. The Future has been rejected already. */
  cancel(reason: unknown): void;
  /** Somebody reads the progress: report it from now on. At most once. */
  watch(): void;
}

/** How a task came to its result; nanoseconds. Zeros where it is not known, or not yet. */
export interface Timing {
  /** In the queue, until a thread began it; between its turns, too, if it yields. */
  readonly queuedNs: number;
  /** On a thread. What it slept is in neither. */
  readonly runNs: number;
  /** Processor time. Of brief tasks, which are not worth measuring, their run time. */
  readonly cpuNs: number;
}

type Outcome = 'fulfilled' | 'rejected' | 'cancelled';

const UNKNOWN: Timing = Object.freeze({ queuedNs: 0, runNs: 0, cpuNs: 0 });

/** Settles one Future: the first call of `fulfil`, `reject` or `cancel` wins, the rest is ignored. */
export class Settler<T> {
  /** What continuations hang on: their context, their order and unhandled rejections are the engine's own. */
  readonly promise: Promise<T>;
  /** To be set before anyone has the Future; let go of when it settles. Without one it counts as queued. */
  steering: Steering | undefined;

  readonly #task: string | undefined;
  #resolve!: Resolve;
  #reject!: (error: unknown) => void;
  #outcome: Outcome | undefined;
  #timing = UNKNOWN;
  #feed: ProgressFeed | undefined;
  #success: Promise<T> | undefined;
  #resolveSuccess: Resolve | undefined;

  /** @param task - its name, for the error of `cancel` */
  constructor(task?: string) {
    this.#task = task;
    this.promise = new Promise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }) as Promise<T>;
  }

  get status(): 'queued' | 'running' | Outcome {
    return this.#outcome ?? (this.steering?.isRunning() ? 'running' : 'queued');
  }

  get timing(): Timing {
    return this.#timing;
  }

  /** What to continue so that a rejection stays unhandled: as `promise` if that is fulfilled, else pending for ever. */
  get success(): Promise<T> {
    if (this.#outcome === 'fulfilled') return this.promise;
    this.#success ??= new Promise<unknown>((resolve) => {
      this.#resolveSuccess = resolve;
    }) as Promise<T>;
    return this.#success;
  }

  /** Made when somebody asks for it: most tasks run without an audience. */
  get feed(): ProgressFeed {
    if (this.#feed === undefined) {
      this.#feed = new ProgressFeed(() => this.steering?.watch());
      if (this.#outcome !== undefined) this.#feed.end();
    }
    return this.#feed;
  }

  /** @param value - not a promise: no task ends with one */
  fulfil(value: T): void {
    if (!this.#settle('fulfilled')) return;
    this.#resolve(value);
    this.#resolveSuccess?.(value);
  }

  /** @param how - 'cancelled' when somebody wanted it so: a signal was aborted, its pool was closed */
  reject(error: unknown, how: 'rejected' | 'cancelled' = 'rejected'): void {
    if (!this.#settle(how)) return;
    this.#success = undefined;
    this.#resolveSuccess = undefined;
    this.#reject(error);
  }

  /** Rejects at once, and has the task stopped. False: it had settled. */
  cancel(reason: unknown): boolean {
    if (this.#outcome !== undefined) return false;
    const { steering } = this;
    this.reject(cancelledError(this.#task, reason), 'cancelled');
    steering?.cancel(reason);
    return true;
  }

  /** Ignored while nobody has asked for the feed, and once the task has settled. */
  progress(done: number, total: number | undefined): void {
    this.#feed?.report(Object.freeze({ done, total }));
  }

  /** Call it before the task settles, and whoever awaited that sees it; later, and it is told all the same. */
  time(queuedNs: number, runNs: number, cpuNs: number): void {
    this.#timing = Object.freeze({ queuedNs, runNs, cpuNs });
  }

  #settle(outcome: Outcome): boolean {
    if (this.#outcome !== undefined) return false;
    this.#outcome = outcome;
    this.steering = undefined;
    this.#feed?.end();
    return true;
  }
}

function cancelledError(task: string | undefined, cause: unknown): OffloopError {
  const message = 'cancelled before it had a result';
  if (task === undefined) return new OffloopError('ERR_OFFLOOP_CANCELLED', message, { cause });
  return new OffloopError('ERR_OFFLOOP_CANCELLED', `${task}: ${message}`, { task, cause });
}
