/** A descriptor's events, one after another. */
import * as readiness from './readiness.js';
import { type Readiness, toReadiness } from './readiness.js';

type Read = IteratorResult<Readiness, undefined>;

const END: Read = Object.freeze({ value: undefined, done: true });

/** What a watch asks of its reactor. */
interface Owner {
  /** Returns what has the signal ignored. @throws OffloopError */
  onBegin(): () => void;
  onEvent(): void;
  onEnd(): void;
}

interface Asking {
  resolve(read: Read): void;
  reject(error: Error): void;
}

/** For one reader. Begins when the first event is asked for, and by levels looks at the descriptor only when one is. */
export class Watch implements AsyncIterableIterator<Readiness, undefined> {
  readonly #fd: number;
  readonly #interest: number;
  readonly #kind: number;
  readonly #owner: Owner;
  #number: number | undefined;
  #ignoreSignal: (() => void) | undefined;
  /** What has come and was not asked for; by edges alone. */
  #unread = 0;
  /** Calls of `next` that wait, oldest first. */
  readonly #asking: Asking[] = [];
  #failure: Error | undefined;
  #ended = false;

  constructor(fd: number, interest: number, kind: number, owner: Owner) {
    this.#fd = fd;
    this.#interest = interest;
    this.#kind = kind;
    this.#owner = owner;
  }

  next(): Promise<Read> {
    const failure = this.#failure;
    const what = this.#unread;
    this.#failure = undefined;
    this.#unread = 0;
    if (failure !== undefined) return Promise.reject(failure);
    if (what !== 0) return Promise.resolve(this.#read(what));
    if (this.#ended) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      if (this.#asking.push({ resolve, reject }) > 1) return;
      readiness.hold();
      this.#ask();
    });
  }

  return(): Promise<Read> {
    this.#failure = undefined;
    this.#end();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly fail = (error: Error): void => {
    if (this.#ended) return;
    const [first] = this.#asking.splice(0, 1);
    if (first === undefined) this.#failure = error;
    else if (this.#asking.length === 0) readiness.release();
    first?.reject(error);
    this.#end();
  };

  #ask(): void {
    try {
      if (this.#number === undefined) this.#begin();
      else if (this.#kind === readiness.AGAIN) readiness.again(this.#number, this.#interest);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #begin(): void {
    this.#ignoreSignal = this.#owner.onBegin();
    if (this.#ended) return; // the signal is aborted already
    this.#number = readiness.begin(this.#fd, this.#interest, this.#kind, Number.POSITIVE_INFINITY, this.#onEvent);
  }

  readonly #onEvent = (what: number): void => {
    const first = this.#asking.shift();
    if (first === undefined) {
      this.#unread |= what;
      return;
    }
    first.resolve(this.#read(what));
    if (this.#asking.length === 0) readiness.release();
    else this.#ask();
  };

  #read(what: number): Read {
    this.#owner.onEvent();
    return { value: toReadiness(what), done: false };
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unread = 0;
    if (this.#number !== undefined) readiness.end(this.#number);
    this.#ignoreSignal?.();
    this.#owner.onEnd();
    if (this.#asking.length > 0) readiness.release();
    for (const { resolve } of this.#asking.splice(0)) resolve(END);
  }
}
