/** WakeHandle: rung and awaited from every thread of a process. */
import { onAbort } from '../abort.js';
import { checkInteger, checkObject, checkSignal } from '../check.js';
import { AbortError, OffloopError } from '../errors.js';
import { closeWake, lookAtWake, openWake, ringWake, wakeCounts } from '../ring.js';
import * as signals from '../signals.js';

interface Waiting {
  resolve(): void;
  fail(error: Error): void;
}

function closedError(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_CLOSED', 'the wake handle is closed');
}

/** Closes what nobody has any more. */
const forgotten = new FinalizationRegistry<number>(closeWake);

/**
 * Wakes whoever waits for it, in any thread of the process. Rings coalesce: a thousand of them before somebody waits are one
 * wake-up, and none is lost.
 *
 * Each WakeHandle made with `from`, in the same thread or another, hears of all rings by itself, also of those before it was
 * made. Ringing is one native call. It wakes the event loops of those who wait, and only theirs.
 *
 * The process stays alive while a promise of a handle is pending.
 *
 * @example
 * const wake = new WakeHandle();
 * new Worker('./worker.js', { workerData: wake.handle }); // where WakeHandle.from(workerData).ring() is called
 * await wake.wait();
 */
export class WakeHandle implements Disposable {
  /** By which others find it: a number, to be sent to worker_threads. Good while this or another one made of it is open, and not
   * forgotten. */
  readonly handle: number;
  readonly #signal: number;
  readonly #waiting = new Set<Waiting>();
  #closed = false;

  constructor();
  /** @internal For `from`: what to open, instead of a new one. */
  constructor(handle?: number);
  constructor(handle = 0) {
    const opened = openWake(checkInteger('handle', handle, 0));
    if (opened === undefined) throw closedError();
    [this.handle, this.#signal] = opened;
    forgotten.register(this, this.#signal, this);
  }

  /**
   * The wake handle that has this `handle`, for this thread.
   *
   * @throws TypeError, RangeError; OffloopError ERR_OFFLOOP_CLOSED when all that had it are closed
   */
  static from(handle: number): WakeHandle {
    return new WakeHandle(checkInteger('handle', handle, 1));
  }

  /** How often it was rung, by all threads. Throws as `ring`. */
  get rings(): number {
    return this.#counts()[0];
  }

  /** How often rings have ended a wait, or kept one from waiting, in all threads: those who wait together count once. */
  get wakeUps(): number {
    return this.#counts()[1];
  }

  /** Wakes all who wait; if nobody does here or there, who waits next. @throws OffloopError ERR_OFFLOOP_CLOSED */
  ring(): void {
    if (this.#closed) throw closedError();
    ringWake(this.#signal);
  }

  /**
   * Waits until it is rung. That may have been before: since the last wait on this handle. If several wait at a time, they
   * wake together.
   *
   * @throws TypeError
   * @rejects ABORT_ERR, ERR_OFFLOOP_CLOSED
   * @example await wake.wait({ signal: AbortSignal.timeout(1000) });
   */
  wait(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkObject('options', options);
    const signal = checkSignal('options.signal', options.signal);
    if (this.#closed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    if (this.#look()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) signals.wait(this.#signal, this.#look);
      const fail = (error: Error) => {
        this.#leave(waiting);
        ignoreSignal?.();
        reject(error);
      };
      const ignoreSignal = signal && onAbort(signal, fail);
      const waiting = {
        fail,
        resolve: () => {
          ignoreSignal?.();
          resolve();
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** Waits in this thread reject with ERR_OFFLOOP_CLOSED. Others made of the same handle go on. Closing twice is no mistake. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { fail } of this.#waiting) fail(closedError());
    forgotten.unregister(this);
    closeWake(this.#signal);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether it was rung. Then all who wait have been woken. */
  readonly #look = (): boolean => {
    if (!lookAtWake(this.#signal)) return false;
    for (const waiting of this.#waiting) {
      this.#leave(waiting);
      waiting.resolve();
    }
    return true;
  };

  #leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) signals.unwait(this.#signal);
  }

  #counts(): [rings: number, wakeUps: number] {
    if (this.#closed) throw closedError();
    return wakeCounts(this.#signal);
  }
}
