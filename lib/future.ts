/** Futures: handles on tasks, to be awaited, cancelled, watched and combined. */
import { nextTick } from 'node:process';
import { invalidType } from './check.js';
import { combined, firstSuccess } from './combinators.js';
import type { Progress } from './progress.js';
import { Settler, type Timing } from './settler.js';

/** 'queued' until a thread begins the task; 'cancelled' when somebody stopped it: by `cancel`, a signal, or closing its pool. */
export type FutureStatus = 'queued' | 'running' | 'fulfilled' | 'rejected' | 'cancelled';

let lastId = 0;

/** Makes the Future of a settler. */
export let futureOf: <T>(settler: Settler<T>) => Future<T>;

/**
 * A task that was started: its result can be awaited like a promise's, and the task can be cancelled, watched and timed.
 * Made by `pool.start` and by the functions below. A rejection that nobody handles is reported, as that of a promise is.
 *
 * @example
 * const digest = pool.start(hash, ['sha256', bytes]).onFailure((error) => log(error));
 * if (tooLate()) digest.cancel('too late');
 * console.log(await digest, digest.timing.runNs);
 */
export class Future<T> implements PromiseLike<T> {
  /** Unique in this thread. */
  readonly id: number = ++lastId;
  readonly #settler: Settler<T>;

  static {
    futureOf = (settler) => new Future(settler);
  }

  private constructor(settler: Settler<T>) {
    if (!(settler instanceof Settler)) {
      throw Object.assign(new TypeError('Illegal constructor'), { code: 'ERR_ILLEGAL_CONSTRUCTOR' });
    }
    this.#settler = settler;
  }

  get status(): FutureStatus {
    return this.#settler.status;
  }

  /** How long the task waited and ran, in nanoseconds; zeros until that is known, and of the functions below. */
  get timing(): Timing {
    return this.#settler.timing;
  }

  /**
   * How far the task has come, if it is one that tells. Each loop over it reads for itself, misses what it is too slow for, and ends when the task
   * settles; a failure is told by the Future alone.
   *
   * @example for await (const { done, total } of future.progress) bar.update(done / total);
   */
  get progress(): AsyncIterable<Progress> {
    return this.#settler.feed;
  }

  /** As of a promise. */
  // biome-ignore lint/suspicious/noThenProperty: it is a thenable
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settler.promise.then(onFulfilled, onRejected);
  }

  /** As of a promise. */
  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#settler.promise.catch(onRejected);
  }

  /** As of a promise. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#settler.promise.finally(onFinally);
  }

  /**
   * Calls back with the result, if there is one, in the async context of whoever calls this; after the current code even
   * if it is there already. What the callback throws is an uncaught exception. A rejection stays unhandled.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE
   * @example pool.start(stat, [path]).onSuccess(({ size }) => show(size)).onFailure(report)
   */
  onSuccess(callback: (value: T) => void): this {
    checkCallback(callback);
    this.#settler.success.then(guarded(callback));
    return this;
  }

  /**
   * Calls back with the error, if the task fails or is cancelled, as `onSuccess` does with the result. The rejection is
   * handled thereby.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE
   */
  onFailure(callback: (error: unknown) => void): this {
    checkCallback(callback);
    this.#settler.promise.then(undefined, guarded(callback));
    return this;
  }

  /**
   * Rejects at once with ERR_OFFLOOP_CANCELLED, and has the task stopped: one that waits leaves its queue, one that runs
   * sees its stop flag.
   *
   * @param reason - the error's `cause`
   * @returns whether this call decided the outcome: false when the Future had settled
   * @example if (!job.cancel('too late')) console.log(await job);
   */
  cancel(reason?: unknown): boolean {
    return this.#settler.cancel(reason);
  }

  /**
   * As Promise.all, of futures, promises and values. The first rejection cancels the futures that are left, and it is the
   * `cause` of their errors; cancelling the result cancels them too, as it does with the functions below.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE at once for what cannot be iterated
   * @rejects as the first member to do so
   * @example const [a, b] = await Future.all([pool.start(readFile, ['a']), pool.start(readFile, ['b'])])
   */
  static all<T extends readonly unknown[] | []>(futures: T): Future<{ -readonly [P in keyof T]: Awaited<T[P]> }>;
  static all<T>(futures: Iterable<T | PromiseLike<T>>): Future<Array<Awaited<T>>>;
  static all(futures: Iterable<unknown>): Future<unknown> {
    return Future.#combined((members) => Promise.all(members), futures);
  }

  /**
   * As Promise.allSettled, of futures, promises and values.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE at once for what cannot be iterated
   */
  static allSettled<T extends readonly unknown[] | []>(
    futures: T,
  ): Future<{ -readonly [P in keyof T]: PromiseSettledResult<Awaited<T[P]>> }>;
  static allSettled<T>(futures: Iterable<T | PromiseLike<T>>): Future<Array<PromiseSettledResult<Awaited<T>>>>;
  static allSettled(futures: Iterable<unknown>): Future<unknown> {
    return Future.#combined((members) => Promise.allSettled(members), futures);
  }

  /**
   * As Promise.any, of futures, promises and values. The first result cancels the futures that are left.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE at once for what cannot be iterated
   * @rejects AggregateError when all members fail, or there are none
   */
  static any<T extends readonly unknown[] | []>(futures: T): Future<Awaited<T[number]>>;
  static any<T>(futures: Iterable<T | PromiseLike<T>>): Future<Awaited<T>>;
  static any(futures: Iterable<unknown>): Future<unknown> {
    return Future.#combined((members) => Promise.any(members), futures);
  }

  /**
   * As Promise.race, of futures, promises and values. The first to settle cancels the futures that are left. Without
   * members it never settles.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE at once for what cannot be iterated
   * @rejects as the first member, if that is how it settles
   */
  static race<T extends readonly unknown[] | []>(futures: T): Future<Awaited<T[number]>>;
  static race<T>(futures: Iterable<T | PromiseLike<T>>): Future<Awaited<T>>;
  static race(futures: Iterable<unknown>): Future<unknown> {
    return Future.#combined((members) => Promise.race(members), futures);
  }

  /**
   * As `any`, but when all members fail it rejects as the one that failed first.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE at once for what cannot be iterated
   * @rejects as the first member to fail; TypeError ERR_INVALID_ARG_VALUE when there are none
   * @example const { address } = await Future.firstSuccess(hosts.map((host) => pool.start(lookup, [host])))
   */
  static firstSuccess<T extends readonly unknown[] | []>(futures: T): Future<Awaited<T[number]>>;
  static firstSuccess<T>(futures: Iterable<T | PromiseLike<T>>): Future<Awaited<T>>;
  static firstSuccess(futures: Iterable<unknown>): Future<unknown> {
    return Future.#combined((members) => firstSuccess(members, futures), futures);
  }

  static #combined(
    combine: (members: Iterable<unknown>) => Promise<unknown>,
    futures: Iterable<unknown>,
  ): Future<unknown> {
    const settlerOf = (member: unknown): Settler<unknown> | undefined =>
      typeof member === 'object' && member !== null && #settler in member ? member.#settler : undefined;
    return new Future(combined(combine, futures, settlerOf));
  }
}

function checkCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw invalidType('callback', 'of type function', callback);
}

/** No promise takes what a callback throws. A tick does: a microtask would lose its async context in Node 20. */
function guarded<A>(callback: (argument: A) => void): (argument: A) => void {
  return (argument) => {
    try {
      callback(argument);
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  };
}
