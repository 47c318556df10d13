/** The sending end of a queue, with those that wait for room. */
import { onAbort } from '../abort.js';
import { AbortError, OffloopError } from '../errors.js';
import * as signals from '../signals.js';
import { checkMessage, kept, type Message } from './messages.js';
import { CLOSED, FULL, late, put, queues } from './outgoing.js';
import type { QueueEnd } from './queue-end.js';

interface Waiter {
  readonly message: Message;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Gives back the signal's listener. */
  release: (() => void) | undefined;
}

/** One for all messages that are accepted at once: it costs nothing to hand it out. */
const ACCEPTED: Promise<void> = Promise.resolve();

export class Sender {
  readonly #end: QueueEnd;
  readonly #overflow: string;
  #signal = 0;
  /** Oldest first. */
  readonly #waiters: Waiter[] = [];

  constructor(end: QueueEnd, overflow: string) {
    this.#end = end;
    this.#overflow = overflow;
  }

  /** @param signal - ends a wait for room */
  send(value: unknown, signal: AbortSignal | undefined): Promise<void> {
    const message = typeof value === 'number' ? value : checkMessage(value); // first: its getters may send something themselves
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    if (this.#waiters.length > 0) return this.#wait(message, signal);
    let put: number;
    try {
      put = this.#put(message);
    } catch (error) {
      return Promise.reject(error); // no memory
    }
    if (put > 0) return late ?? ACCEPTED;
    if (put === CLOSED) return Promise.reject(closed());
    if (this.#overflow === 'wait') return this.#wait(message, signal);
    return this.#overflow === 'reject' ? Promise.reject(full()) : (late ?? ACCEPTED);
  }

  trySend(value: unknown): boolean {
    const message = checkMessage(value);
    return this.#waiters.length === 0 && this.#put(message) > 0;
  }

  /** Nothing more is accepted, whoever waits. */
  close(): void {
    queues.close(this.#end.number);
    if (this.#waiters.length > 0) this.#retry();
  }

  #put(message: Message): number {
    const { number, receiver } = this.#end;
    const done = put(number, message);
    // The receiver, if it is in this thread, may have handed out messages that still hold their room.
    return done === FULL && receiver?.tell() ? put(number, message) : done;
  }

  #wait(message: Message, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { message: kept(message), resolve, reject, release: undefined };
      this.#waiters.push(waiter);
      if (signal) waiter.release = onAbort(signal, (reason) => this.#abort(waiter, reason));
      if (this.#waiters.length > 1) return;
      if (this.#signal === 0) this.#signal = queues.sendingSignal(this.#end.number);
      signals.wait(this.#signal, this.#retry);
      if (queues.awaitRoom(this.#end.number)) this.#retry();
    });
  }

  #abort(waiter: Waiter, reason: Error): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.reject(reason);
    if (this.#waiters.length === 0) signals.unwait(this.#signal);
  }

  readonly #retry = (): void => {
    do {
      for (;;) {
        const [first] = this.#waiters;
        if (first === undefined) {
          signals.unwait(this.#signal);
          return;
        }
        if (!this.#settles(first)) break;
        this.#waiters.shift();
        first.release?.();
      }
    } while (queues.awaitRoom(this.#end.number));
  };

  /** False: there is no room yet. */
  #settles({ message, resolve, reject }: Waiter): boolean {
    try {
      const put = this.#put(message);
      if (put === FULL) return false;
      if (put === CLOSED) reject(closed());
      else resolve();
    } catch (error) {
      reject(error); // no memory
    }
    return true;
  }
}

function closed(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_CLOSED', 'refused: the queue is closed');
}

function full(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_QUEUE_FULL', "refused: the queue's capacity is used up");
}
