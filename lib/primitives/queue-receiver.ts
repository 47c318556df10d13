/** The receiving end of a queue: takes many messages at a time, and hands them out one by one. */
import { nextTick } from 'node:process';
import { setImmediate } from 'node:timers';
import { onAbort } from '../abort.js';
import { AbortError, OffloopError } from '../errors.js';
import * as signals from '../signals.js';
import { noteTurn, Slice } from '../slice.js';
import type { Message } from './messages.js';
import { flush, giveBack, queues, reader } from './outgoing.js';
import type { QueueEnd } from './queue-end.js';

/** Most messages taken at a time, and no more than half of what the queue holds: senders fill the other half meanwhile. */
const MOST_TAKEN = 512;

/** Whoever has asked and must wait. */
interface Waiter {
  /** Hands out what is there: there is something, or it has ended. */
  answer(): void;
  reject(error: unknown): void;
  /** Gives back the signal's listener. */
  release: (() => void) | undefined;
}

type Next = IteratorResult<unknown, undefined>;
const DONE: Next = Object.freeze({ value: undefined, done: true });

export class Receiver {
  readonly #end: QueueEnd;
  /** Most messages taken ahead of those that are asked for. */
  readonly #ahead: number;
  /** What is taken counts as received later, when it is handed out. */
  readonly #lends: boolean;
  #signal = 0;
  /** Taken; handed out up to `#at`. */
  #values: unknown[] = [];
  #at = 0;
  /** Some of them are errors: messages that could not be made. */
  #fails = false;
  #ended = false;
  /** Handed out, which native code does not know yet. */
  #received = 0;
  #tellScheduled = false;
  /** Oldest first. */
  readonly #waiters: Waiter[] = [];
  #listening = false;
  readonly #slice = new Slice();

  /** @param exact - messages stay in the queue until they are asked for, so that they can still be dropped */
  constructor(end: QueueEnd, capacity: number, exact: boolean) {
    this.#end = end;
    this.#lends = !exact;
    this.#ahead = exact ? 1 : Math.max(1, Math.min(MOST_TAKEN, capacity >> 1));
  }

  /** The next message; undefined at the end. */
  receive(signal: AbortSignal | undefined): Promise<unknown> {
    return this.#ask(() => (this.#ended ? undefined : this.#shift()), signal);
  }

  /** At least one message; none at the end. */
  receiveMany(most: number, signal: AbortSignal | undefined): Promise<unknown> {
    return this.#ask(() => (this.#ended ? [] : this.#shiftMany(most)), signal);
  }

  /** As of an iterator. */
  next(): Promise<Next> {
    const isThere = this.#waiters.length === 0 && this.#at < this.#values.length;
    if (isThere && !this.#fails) return Promise.resolve(this.#result());
    return this.#ask(this.#result, undefined) as Promise<Next>;
  }

  /**
   * Lets somebody else receive, unless somebody waits here. What was taken ahead goes back. Throws why one of those messages
   * could not be made, if so: it cannot go back.
   */
  letGo(): void {
    if (this.#waiters.length > 0) return;
    const { number } = this.#end;
    this.tell();
    flush();
    if (this.#fails) this.#throwFailure();
    for (const values = this.#values; values.length > this.#at; values.pop()) {
      giveBack(number, values[values.length - 1] as Message);
    }
    queues.disclaim(number);
  }

  /** Has native code count what was handed out. @returns whether there was anything */
  tell(): boolean {
    if (this.#received === 0) return false;
    queues.receive(this.#end.number, this.#received);
    this.#received = 0;
    return true;
  }

  readonly #result = (): Next => (this.#ended ? DONE : { value: this.#shift(), done: false });

  #ask(answer: () => unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    if (this.#waiters.length > 0) return this.#wait(answer, signal);
    try {
      if (this.#isBusyForLong()) setImmediate(this.#answer);
      else if (this.#finds()) return Promise.resolve(answer());
      else this.#listen();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#wait(answer, signal);
  }

  /** Then timers and sockets come first. */
  #isBusyForLong(): boolean {
    if (this.#at < this.#values.length || this.#ended) return false;
    return this.#slice.isUp();
  }

  /** Whether there is something to hand out, or it has ended. If not, the signal will come. */
  #finds(): boolean {
    if (this.#at < this.#values.length || this.#ended) return true;
    flush(); // it may be for this queue
    if (this.#signal === 0) this.#signal = queues.receivingSignal(this.#end.number);
    const objects: unknown[] = [];
    const taken = queues.take(this.#end.number, this.#received, this.#ahead, this.#lends, objects);
    if (taken === -2) {
      throw new OffloopError('ERR_OFFLOOP_UNSUPPORTED', 'the queue has another receiver: a task that has not ended');
    }
    this.#received = 0;
    this.#ended = taken === -1;
    if (taken > 0) {
      this.#values = reader.read(taken, objects);
      this.#fails = reader.failed;
      this.#at = 0;
    }
    return taken !== 0;
  }

  #shift(): unknown {
    const value = this.#values[this.#at];
    this.#values[this.#at++] = undefined;
    if (this.#lends) this.#handedOut(1);
    if (this.#fails && value instanceof OffloopError) throw value;
    return value;
  }

  #shiftMany(most: number): unknown[] {
    const values: unknown[] = [];
    do {
      const there = this.#fails ? this.#countBeforeFailure() : most;
      if (there === 0) return values.length > 0 ? values : [this.#shift()];
      const part = this.#values.splice(this.#at, Math.min(there, most - values.length));
      values.push(...part);
      if (this.#lends) this.#handedOut(part.length);
    } while (values.length < most && this.#finds() && !this.#ended);
    return values;
  }

  #throwFailure(): void {
    const failure = this.#values.find((value) => value instanceof OffloopError);
    if (failure !== undefined) throw failure;
  }

  #countBeforeFailure(): number {
    const left = this.#values.slice(this.#at);
    const failure = left.findIndex((value) => value instanceof OffloopError);
    return failure < 0 ? left.length : failure;
  }

  #handedOut(count: number): void {
    this.#received += count;
    if (this.#tellScheduled) return;
    this.#tellScheduled = true;
    // When whoever receives waits for something else: those who ask at once take the next ones before.
    nextTick(this.#tellAsScheduled);
  }

  readonly #tellAsScheduled = (): void => {
    this.#tellScheduled = false;
    this.tell();
  };

  #wait(answer: () => unknown, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { answer: () => resolve(attempt(answer)), reject, release: undefined };
      this.#waiters.push(waiter);
      if (signal) waiter.release = onAbort(signal, (reason) => this.#abort(waiter, reason));
    });
  }

  /** The loop has turned. */
  readonly #answer = (): void => {
    noteTurn();
    try {
      while (this.#waiters.length > 0 && this.#finds()) this.#nextWaiter()?.answer();
    } catch (error) {
      while (this.#waiters.length > 0) this.#nextWaiter()?.reject(error);
    }
    if (this.#waiters.length > 0) this.#listen();
    else this.#unlisten();
  };

  #nextWaiter(): Waiter | undefined {
    const waiter = this.#waiters.shift();
    waiter?.release?.();
    return waiter;
  }

  #abort(waiter: Waiter, reason: Error): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.reject(reason);
    if (this.#waiters.length === 0) this.#unlisten();
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    signals.wait(this.#signal, this.#answer);
  }

  #unlisten(): void {
    if (!this.#listening) return;
    this.#listening = false;
    signals.unwait(this.#signal);
  }
}

/** Its result, or a promise that rejects with what it throws. */
function attempt(answer: () => unknown): unknown {
  try {
    return answer();
  } catch (error) {
    return Promise.reject(error);
  }
}
