/** Where items come from: an iterable, of either kind, that is asked for one at a time and told once that it is enough. */

/** Something went wrong; kept apart from values, since anything can be thrown. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export type Pulled = { readonly done: false; readonly item: unknown } | { readonly done: true; failure?: Failure };

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;
interface AnyIterable {
  [Symbol.iterator]?(): AnyIterator;
  [Symbol.asyncIterator]?(): AnyIterator;
}

export function isIterable(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  const { [Symbol.asyncIterator]: forAsync, [Symbol.iterator]: forSync } = value as AnyIterable;
  return typeof (forAsync ?? forSync) === 'function';
}

export class Source {
  readonly #iterable: AnyIterable;
  #iterator: AnyIterator | undefined;
  #isAsync = false;
  #isPulling = false;
  #hasEnded = false;

  /** @param iterable is not touched before it is pulled or closed */
  constructor(iterable: unknown) {
    this.#iterable = iterable as AnyIterable;
  }

  /** It is being asked, and must not be asked again meanwhile: a sync source may do so itself. */
  get isPulling(): boolean {
    return this.#isPulling;
  }

  /** Asks for an item. Neither throws nor rejects; a promise is returned for async iterables alone. */
  pull(): Pulled | Promise<Pulled> {
    this.#isPulling = true;
    try {
      this.#iterator ??= this.#open();
      const step: unknown = this.#iterator.next();
      return this.#isAsync ? Promise.resolve(step).then(this.#read, this.#onThrow) : this.#read(step);
    } catch (error) {
      return this.#onThrow(error);
    }
  }

  /**
   * Calls `return()`, unless the source has ended by itself, and waits for it. To be called once.
   *
   * @returns what that threw
   */
  async close(): Promise<Failure | undefined> {
    await undefined; // the source may be the caller, and a generator cannot be ended while it runs
    if (this.#hasEnded) return undefined;
    this.#hasEnded = true;
    try {
      this.#iterator ??= this.#open();
      await this.#iterator.return?.();
      return undefined;
    } catch (error) {
      return new Failure(error);
    }
  }

  #open(): AnyIterator {
    const { [Symbol.asyncIterator]: forAsync, [Symbol.iterator]: forSync } = this.#iterable;
    this.#isAsync = forAsync !== undefined && forAsync !== null;
    return (forAsync ?? forSync)?.call(this.#iterable) as AnyIterator;
  }

  readonly #read = (step: unknown): Pulled => {
    try {
      if (Object(step) !== step) throw new TypeError(`Iterator result ${String(step)} is not an object`);
      const { done, value } = step as IteratorResult<unknown>;
      if (done) this.#hasEnded = true;
      this.#isPulling = false;
      return done ? { done: true } : { done: false, item: value };
    } catch (error) {
      return this.#onThrow(error);
    }
  };

  /** As in the language, a source that throws has ended. */
  readonly #onThrow = (error: unknown): Pulled => {
    this.#isPulling = false;
    this.#hasEnded = true;
    return { done: true, failure: new Failure(error) };
  };
}
