/** Queues: messages from any thread, JavaScript's or native, to one receiver. */
import { checkInteger, checkObject, checkOneOf, checkSignal, checkText, invalidType } from '../check.js';
import { OffloopError } from '../errors.js';
import { OVERFLOWS } from '../options.js';
import type { Message, Received } from './messages.js';
import { flush, queues } from './outgoing.js';
import { joinEnd, openEnd, QueueEnd } from './queue-end.js';

export interface QueueOptions {
  /** Messages that may be in the queue, 1 to 2²⁴. Default: 1,024. */
  capacity?: number;
  /**
   * What happens to a message beyond the capacity. 'wait': `send` waits until there is room. 'reject': `send` rejects with
   * ERR_OFFLOOP_QUEUE_FULL. 'drop-oldest': the one that has waited longest is dropped in its place. 'drop-newest': it is
   * dropped itself. Default: 'wait'.
   */
  overflow?: (typeof OVERFLOWS)[number];
}

/** What stands for a queue in messages to other threads: it can be cloned and posted. */
export interface QueueHandle {
  /** Cannot be guessed. */
  readonly id: string;
}

/** What a queue has done so far, for all of its senders. */
export interface QueueStats {
  readonly capacity: number;
  /** Messages that were put in; that were handed to the receiver; that were dropped. */
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  /** Messages in the queue now, and the most that were. */
  readonly length: number;
  readonly highWater: number;
}

export interface SendOptions {
  /** Ends the wait for room with an AbortError: nothing is sent then. */
  signal?: AbortSignal;
}

export interface ReceiveOptions {
  /** Ends the wait with an AbortError. */
  signal?: AbortSignal;
}

/** A queue as those see it who only send: one that carries more than they send will do, too. */
export interface SendingQueue<T extends Message> {
  readonly handle: QueueHandle;
  readonly send: (value: T, options?: SendOptions) => Promise<void>;
  readonly trySend: (value: T) => boolean;
  close(): void;
}

const MOST_CAPACITY = 2 ** 24;
/** The number of a queue that a task is given, which may then receive from it, too. */
export let lendToTask: (name: string, queue: unknown) => number;

/** @throws TypeError, RangeError naming what cannot be */
export function fillQueueOptions(name: string, options: QueueOptions): Required<QueueOptions> {
  checkObject(name, options);
  const { capacity = 1024, overflow = 'wait' } = options;
  checkInteger(`${name}.capacity`, capacity, 1, MOST_CAPACITY);
  checkOneOf(`${name}.overflow`, overflow, OVERFLOWS);
  return { capacity, overflow };
}

/**
 * Carries messages from any number of senders to one receiver, in the order of each sender. Senders are worker_threads, the
 * main thread and tasks; the receiver is the thread that made the queue, or one task at a time.
 *
 * Messages are numbers, 64-bit bigints, booleans, strings, null, undefined, bytes of any kind, and flat arrays of these
 * with at most 1,024 items. Bytes, of less than 4 GiB, are copied, and arrive as a Buffer of their own; strings cross as UTF-8.
 *
 * Waiting for a message, or for room, keeps the process alive; a queue by itself does not. One that nobody can receive from
 * any more, because its thread has ended or has let go of it, is closed.
 *
 * @example
 * const queue = new Queue({ capacity: 100 });
 * new Worker('./producer.js', { workerData: queue.handle }); // there: Queue.from(workerData).send(1)
 * for await (const message of queue) console.log(message);
 */
export class Queue<T extends Message = Message> implements AsyncIterable<Received<T>>, Disposable {
  readonly #end: QueueEnd;
  #handle: QueueHandle | undefined;

  static {
    lendToTask = (name, queue) => {
      if (!(queue instanceof Queue)) throw invalidType(name, 'an instance of Queue', queue);
      flush();
      queue.#end.receiver?.letGo();
      return queue.#end.number;
    };
  }

  /** @throws TypeError, RangeError for options that cannot be, naming the option */
  constructor(options: QueueOptions = {}) {
    if (options instanceof QueueEnd) {
      this.#end = options; // from `from`: nobody else has one
      return;
    }
    const { capacity, overflow } = fillQueueOptions('options', options);
    this.#end = openEnd(capacity, overflow);
  }

  /**
   * A queue of this process: a sender for it, and in the thread that has made it a receiver, too.
   *
   * @param handle - of the queue
   * @throws TypeError ERR_INVALID_ARG_TYPE
   * @throws OffloopError ERR_OFFLOOP_CLOSED when the queue is gone
   * @example const queue = Queue.from(workerData);
   */
  static from<T extends Message = Message>(handle: QueueHandle): Queue<T> {
    const { id } = checkObject('handle', handle) as QueueHandle;
    const end = joinEnd(checkText('handle.id', id));
    if (end === undefined) throw new OffloopError('ERR_OFFLOOP_CLOSED', 'the queue is gone');
    return new Queue<T>(end as QueueOptions);
  }

  /**
   * Stands for the queue in other threads of the process: it can be cloned, and posted. It does not keep the queue.
   *
   * @example new Worker('./producer.js', { workerData: queue.handle });
   */
  get handle(): QueueHandle {
    this.#handle ??= Object.freeze({ id: this.#end.id });
    return this.#handle;
  }

  /** Whether it accepts no more messages. There may be some left. */
  get closed(): boolean {
    return queues.isClosed(this.#end.number);
  }

  /**
   * Sends a message. The promise resolves when it is accepted: there is room for it, or it has been dropped. It is always the
   * same promise if that is at once, but for every millisecond of a loop that never has to wait.
   *
   * Accepted messages leave the thread together, when it has done what it does: before it goes on with timers and sockets,
   * or ends by itself; the first of them at once if the receiver sleeps. Until then they are not there for others: not while
   * the thread blocks, by Atomics.wait or a long computation, and never if it is terminated. `stats()` and `close()` hand
   * them over.
   *
   * @param options.signal - ends the wait for room: nothing is sent then
   * @throws TypeError, RangeError at once for what cannot be a message, naming it
   * @rejects ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_QUEUE_FULL where `overflow` is 'reject'; ABORT_ERR; ERR_OFFLOOP_NO_MEMORY
   * @example for (const line of lines) await queue.send(line); // no faster than they are received
   */
  send(value: T, options?: SendOptions): Promise<void> {
    return this.#end.sender.send(value, options === undefined ? undefined : checkWait(options));
  }

  /**
   * Sends a message if it is accepted at once. It leaves the thread as those of `send` do.
   *
   * @returns false: the queue is full or closed, or has dropped it, or others wait for room
   * @throws TypeError, RangeError for what cannot be a message, naming it; ERR_OFFLOOP_NO_MEMORY
   * @example if (!queue.trySend(sample)) ++skipped;
   */
  trySend(value: T): boolean {
    return this.#end.sender.trySend(value);
  }

  /**
   * The next message; undefined when the queue has been closed and all have been received. Calls need not wait for one
   * another, and are answered in order.
   *
   * @throws TypeError for options that cannot be
   * @rejects ABORT_ERR; ERR_OFFLOOP_UNSUPPORTED where a task receives, or the queue was made in another thread; instead of a
   *   message that is lost, ERR_OFFLOOP_UNSUPPORTED for a text that is too long for a string, ERR_OFFLOOP_NO_MEMORY
   * @example const message = await queue.receive({ signal: AbortSignal.timeout(100) });
   */
  receive(options?: ReceiveOptions): Promise<Received<T> | undefined> {
    const signal = options === undefined ? undefined : checkWait(options);
    const { receiver } = this.#end;
    return receiver === undefined
      ? Promise.reject(elsewhere())
      : (receiver.receive(signal) as Promise<Received<T> | undefined>);
  }

  /**
   * As many messages as are there, one at least; none when the queue has been closed and all have been received.
   *
   * @param options.max - at most so many, 1 to 2²⁴. Default: 1,024
   * @throws TypeError, RangeError for options that cannot be
   * @rejects as `receive`
   * @example for (let some; (some = await queue.receiveMany()).length > 0; ) await store(some);
   */
  receiveMany(options: ReceiveOptions & { max?: number } = {}): Promise<Received<T>[]> {
    const signal = checkWait(options);
    const { max = 1024 } = options;
    checkInteger('options.max', max, 1, MOST_CAPACITY);
    const { receiver } = this.#end;
    return receiver === undefined
      ? Promise.reject(elsewhere())
      : (receiver.receiveMany(max, signal) as Promise<Received<T>[]>);
  }

  /**
   * Ends when the queue has been closed and all have been received.
   * Leaving the loop changes nothing: another goes on.
   *
   * @throws OffloopError ERR_OFFLOOP_UNSUPPORTED where the queue was made in another thread
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Received<T>, undefined> {
    const { receiver } = this.#end;
    if (receiver === undefined) throw elsewhere();
    return {
      next: () => receiver.next() as Promise<IteratorResult<Received<T>, undefined>>,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * What the queue has done so far. Hands over first what this thread has sent.
   *
   * @example const { length, capacity } = queue.stats(); if (length === capacity) console.warn('the receiver is behind');
   */
  stats(): QueueStats {
    flush();
    this.#end.receiver?.tell();
    const { capacity, sent, received, dropped, held, highWater } = queues.counts(this.#end.number);
    return { capacity, sent, received, dropped, length: held, highWater };
  }

  /**
   * Accepts no more messages, from any sender; those that wait for room reject. What is in the queue can still be received.
   * Any end may close it, and closing it again does nothing.
   *
   * @example queue.close(); // the receiver's loop ends when it has received them all
   */
  close(): void {
    flush();
    this.#end.sender.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function elsewhere(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_UNSUPPORTED', 'the queue was made in another thread, which receives from it');
}

function checkWait(options: SendOptions | ReceiveOptions): AbortSignal | undefined {
  checkObject('options', options);
  return checkSignal('options.signal', options.signal);
}
