/** A task for each item of a source: begun no faster than the results are consumed. */
import { AsyncResource } from 'node:async_hooks';
import { onAbort } from './abort.js';
import { checkInteger, checkObject, invalidType } from './check.js';
import { fillRunOptions, type RunOptions } from './options.js';
import { Failure, isIterable, type Pulled, Source } from './source.js';

/** What a map is told. The signal is for all of it; the other options of runs are for each. */
export interface MapOptions extends RunOptions {
  /**
   * Most items at a time, 1 to 65,536; an item counts from when it is pulled until its result is handed out. Default:
   * twice the pool's threads, so that no thread waits for the event loop.
   */
  concurrency?: number;
  /** Results come in the order of the source; otherwise as their tasks finish. Default: true. */
  ordered?: boolean;
}

/** A list of the task's arguments. Where one argument is enough it may stand by itself, unless it is an Array. */
export type MapItem<Args extends readonly unknown[]> =
  | Readonly<Args>
  | (Args extends readonly [infer First, ...infer Rest]
      ? [] extends Rest
        ? Exclude<First, readonly unknown[]>
        : never
      : never);

export type MapSource<Args extends readonly unknown[]> = Iterable<MapItem<Args>> | AsyncIterable<MapItem<Args>>;

const MOST_CONCURRENCY = 65_536;
const settled = Promise.resolve();

interface FilledMapOptions {
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly signal: AbortSignal | undefined;
  /** The rest: for each run. */
  readonly runOptions: RunOptions;
}

function fillMapOptions(options: MapOptions, defaultConcurrency: number): FilledMapOptions {
  checkObject('options', options);
  const { concurrency = defaultConcurrency, ordered = true, signal, ...runOptions } = options;
  checkInteger('options.concurrency', concurrency, 1, MOST_CONCURRENCY);
  if (typeof ordered !== 'boolean') throw invalidType('options.ordered', 'of type boolean', ordered);
  fillRunOptions({ ...runOptions, signal }); // mistakes throw now, not from the first next()
  return { concurrency, ordered, signal, runOptions };
}

/** Runs the task; `onHome` is called when it has left its thread, which may be after its promise has rejected. */
export type Start<T> = (args: readonly unknown[], options: RunOptions, onHome: () => void) => Promise<T>;

type Result<T> = IteratorResult<T, undefined>;

interface Request<T> {
  readonly resolve: (result: Result<T>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The results of `pool.map`. Nothing is pulled before the first `next()`.
 *
 * However it ends, the source's `return()` is called once, unless the source has ended or thrown by itself, and what is
 * in flight is cancelled. Only when both are over does `return()` resolve, or `next()` reject; it is done then.
 */
export class Mapped<T> implements AsyncIterableIterator<T>, AsyncDisposable {
  readonly #start: (item: unknown) => Promise<T>;
  readonly #source: Source;
  readonly #options: FilledMapOptions;
  readonly #cancellation = new AbortController();
  #unwatch: (() => void) | undefined;

  /** Items pulled; those whose results the consumer has; tasks that have not come home. */
  #pulled = 0;
  #consumed = 0;
  #inFlight = 0;
  /** Nothing more is pulled. */
  #exhausted = false;
  /** What has come back, by when it is to be handed out: the next at `#turn`. */
  readonly #finished = new Map<number, IteratorYieldResult<T> | Failure>();
  #finishedCount = 0;
  #turn = 0;
  /** Calls of `next()` that wait. */
  readonly #requests: Request<T>[] = [];

  #ending: Promise<Failure | undefined> | undefined;
  #onIdle: (() => void) | undefined;
  #ended = false;
  /** Why it ended, until `next()` has told. */
  #failure: Failure | undefined;

  constructor(start: Start<T>, threads: number, iterable: unknown, options: MapOptions = {}) {
    if (!isIterable(iterable)) throw invalidType('iterable', 'an instance of Iterable or AsyncIterable', iterable);
    this.#options = fillMapOptions(options, Math.min(2 * threads, MOST_CONCURRENCY));
    this.#source = new Source(iterable);
    const runOptions = { ...this.#options.runOptions, signal: this.#cancellation.signal };
    this.#start = (item) => start(Array.isArray(item) ? item : [item], runOptions, this.#onHome);
  }

  /**
   * The next result. Calls need not wait for one another, and are answered in order.
   *
   * @rejects what a task rejects with, or throws for an item that is wrong; what the source throws; ABORT_ERR
   */
  next(): Promise<Result<T>> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ resolve, reject });
      if (this.#unwatch === undefined) this.#watch();
      this.#advance();
    });
  }

  /**
   * Ends at once: calls of `next()` that wait are answered as done.
   *
   * @rejects what the source's own `return()` throws
   */
  async return(): Promise<IteratorReturnResult<undefined>> {
    const isFirst = this.#ending === undefined;
    const closing = await this.#end();
    this.#failure = undefined;
    if (isFirst && closing) throw closing.error;
    return { value: undefined, done: true };
  }

  /** Ends as `return()` does. @rejects the error */
  async throw(error?: unknown): Promise<IteratorReturnResult<undefined>> {
    await this.#end();
    this.#failure = undefined;
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #watch(): void {
    this.#unwatch = () => {};
    const { signal } = this.#options;
    if (signal === undefined || this.#ending !== undefined) return;
    // Bound, since who aborts has a context of their own, and the source is ended in the consumer's.
    const abort = AsyncResource.bind((reason: Error) => this.#fail(new Failure(reason)));
    this.#unwatch = onAbort(signal, abort);
  }

  #advance(): void {
    this.#answer();
    this.#pull();
    this.#answer(); // a wrong item fails at once
  }

  #pull(): void {
    const { concurrency } = this.#options;
    while (!this.#exhausted && !this.#source.isPulling && this.#pulled - this.#consumed < concurrency) {
      const pulled = this.#source.pull();
      if (pulled instanceof Promise) void pulled.then(this.#onPulled);
      else this.#take(pulled);
    }
  }

  readonly #onPulled = (pulled: Pulled): void => {
    this.#take(pulled);
    this.#advance();
  };

  #take(pulled: Pulled): void {
    if (this.#exhausted) return; // ended, or failed, while the source was busy
    if (pulled.done) {
      this.#exhausted = true;
      if (pulled.failure) this.#finish(this.#pulled++, pulled.failure);
      return;
    }
    const turn = this.#pulled++;
    ++this.#inFlight;
    try {
      this.#start(pulled.item).then(
        (value) => this.#onSettled(turn, { value, done: false }),
        (error) => this.#onSettled(turn, new Failure(error)),
      );
    } catch (error) {
      --this.#inFlight;
      this.#finish(turn, new Failure(error));
    }
  }

  #onSettled(turn: number, outcome: IteratorYieldResult<T> | Failure): void {
    if (this.#ending !== undefined) return;
    this.#finish(turn, outcome);
    this.#advance();
  }

  readonly #onHome = (): void => {
    if (--this.#inFlight === 0) this.#onIdle?.();
  };

  #finish(turn: number, outcome: IteratorYieldResult<T> | Failure): void {
    const { ordered } = this.#options;
    if (outcome instanceof Failure) {
      this.#exhausted = true; // what would come after it is never asked for
      if (!ordered) this.#fail(outcome);
    }
    if (this.#ending === undefined) this.#finished.set(ordered ? turn : this.#finishedCount++, outcome);
  }

  #answer(): void {
    while (this.#ending === undefined) {
      const outcome = this.#finished.get(this.#turn);
      if (outcome instanceof Failure) {
        this.#fail(outcome);
      } else if (outcome !== undefined) {
        const request = this.#requests.shift();
        if (request === undefined) return;
        this.#finished.delete(this.#turn++);
        request.resolve(outcome);
        // Two ticks: after whoever awaits the result, also if it was there before they could.
        void settled.then().then(this.#onConsumed);
      } else {
        if (this.#exhausted && this.#turn === this.#pulled) void this.#end();
        return;
      }
    }
    if (this.#ended) this.#answerAtEnd();
  }

  readonly #onConsumed = (): void => {
    ++this.#consumed;
    this.#advance();
  };

  #answerAtEnd(): void {
    for (const { resolve, reject } of this.#requests.splice(0)) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure) reject(failure.error);
      else resolve({ value: undefined, done: true });
    }
  }

  #fail(failure: Failure): void {
    if (this.#ending !== undefined) return;
    this.#failure = failure;
    void this.#end();
  }

  /** The one way out. Never rejects. @returns what closing the source threw */
  #end(): Promise<Failure | undefined> {
    this.#ending ??= this.#endOnce();
    return this.#ending;
  }

  async #endOnce(): Promise<Failure | undefined> {
    this.#exhausted = true;
    this.#finished.clear();
    this.#unwatch?.();
    this.#cancellation.abort();
    const closing = await this.#source.close();
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#ended = true;
    this.#answerAtEnd();
    return closing;
  }
}
