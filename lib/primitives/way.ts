/** One of a socket's two ways: calls that follow one another, each attempted until it is done. */

import { Slice, turn } from '../slice.js';
import type { Readiness } from './readiness.js';

/** What an attempt returns that has to wait until the descriptor is ready. */
export const AGAIN = Symbol('again');

interface Call {
  attempt(): unknown;
  resolve(done: unknown): void;
  reject(error: unknown): void;
}

export class Way {
  /** Whether an attempt may find something to do; if not, the next event comes first. */
  isReady: boolean;
  readonly #events: AsyncIterableIterator<Readiness>;
  /** Why there are no more events. */
  #failure: Error | undefined;
  /** Those that wait, oldest first. */
  readonly #calls: Call[] = [];
  readonly #slice = new Slice();

  constructor(events: AsyncIterableIterator<Readiness>, isReady: boolean) {
    this.#events = events;
    this.isReady = isReady;
  }

  /** Most calls are done at once, and wait for nobody. @rejects what `attempt` throws, and what ends the events */
  call<T>(attempt: () => T | typeof AGAIN): Promise<T> {
    if (this.#calls.length === 0 && this.isReady) {
      try {
        const done = attempt();
        if (done !== AGAIN) return this.#slice.isUp() ? turn().then(() => done) : Promise.resolve(done);
      } catch (error) {
        return Promise.reject(error);
      }
      this.isReady = false;
    }
    return new Promise((resolve, reject) => {
      if (this.#calls.push({ attempt, resolve: resolve as Call['resolve'], reject }) === 1) this.#wait();
    });
  }

  /** Calls that wait are attempted once more, and must throw. */
  end(): void {
    void this.#events.return?.();
  }

  #wait(): void {
    if (this.#failure !== undefined) this.#fail(this.#failure);
    else this.#events.next().then(this.#goOn, this.#fail);
  }

  readonly #goOn = (): void => {
    this.isReady = true;
    for (let first = this.#calls[0]; first !== undefined; first = this.#calls[0]) {
      try {
        const done = first.attempt();
        if (done === AGAIN) {
          this.isReady = false;
          break;
        }
        first.resolve(done);
      } catch (error) {
        first.reject(error);
      }
      this.#calls.shift();
    }
    if (this.#calls.length > 0) this.#wait();
  };

  readonly #fail = (error: Error): void => {
    this.#failure = error;
    for (const { reject } of this.#calls.splice(0)) reject(error);
  };
}
