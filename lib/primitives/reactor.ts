/** Reactor: waiting for descriptors and times, all in one native thread. */
import { onAbort } from '../abort.js';
import { checkInteger, checkNumber, checkObject, checkOneOf, checkSignal } from '../check.js';
import { AbortError, OffloopError } from '../errors.js';
import { native } from '../native.js';
import { reactorWakeUps } from '../ring.js';
import * as readiness from './readiness.js';
import { type Readiness, toReadiness } from './readiness.js';
import { Watch } from './watch.js';

export interface WaitOptions {
  /** Ends the wait, which rejects with an AbortError. */
  signal?: AbortSignal;
  /** Milliseconds, fractions too, after which the wait rejects with ERR_OFFLOOP_TIMEOUT. Default: none. */
  timeoutMs?: number;
}

export interface WatchOptions {
  /**
   * 'level': an event whenever it is asked for and the descriptor is ready. 'edge': an event each time the descriptor becomes
   * ready, so read and write until there is no more (EAGAIN); perhaps an event too many while others wait for the same
   * descriptor. Default: 'level'.
   */
  mode?: 'level' | 'edge';
  /** Ends the watch, which rejects with an AbortError. */
  signal?: AbortSignal;
}

export interface ReactorStats {
  /** Waits, timers and watches of this reactor that go on. */
  readonly waiting: number;
  /** Events that this reactor has told of, those of timers included. */
  readonly delivered: number;
  /** How often the process's native thread has been woken: it takes up to 64 events at a time. */
  readonly wakeUps: number;
}

type Fail = (error: Error) => void;

const INTERESTS = Object.freeze({ r: readiness.READABLE, w: readiness.WRITABLE, rw: 3 });
const MOST_DESCRIPTOR = 2 ** 31 - 1;

function closedError(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_CLOSED', 'the reactor is closed');
}

/**
 * Waits for file descriptors and times. One native thread serves all reactors of a process, those of worker_threads
 * included. It costs nothing while nothing happens, with 10,000 descriptors as with none.
 *
 * A descriptor is one of sockets, pipes, FIFOs, terminals and the like, from a native addon, `fs.openSync` or
 * `socket._handle.fd` of node:net. It stays the caller's: end what waits for it before it is closed. If it is closed all the
 * same, those who wait hear nothing more, and nothing of what gets its number next.
 *
 * On Windows it is a handle, as a number: a SOCKET, as `fd` of a `Socket` or from a native addon, or the HANDLE of a named
 * pipe, which can be waited for to be read. A pipe must have been opened for overlapped calls, and belongs to the completion
 * port of the reactor from then on: so its owner's calls use an event.
 *
 * Any number of waits and watches may be for the same descriptor. The process stays alive while a promise of a reactor is
 * pending.
 *
 * @example
 * const reactor = new Reactor();
 * await reactor.readable(fd, { timeoutMs: 1000 });
 */
export class Reactor implements Disposable, AsyncDisposable {
  /** What ends with the reactor. */
  readonly #waiting = new Set<Fail>();
  #delivered = 0;
  #closed = false;

  /** How the native thread waits: 'epoll', 'kqueue', 'iocp' or 'poll'. */
  get backend(): string {
    return native.poller;
  }

  /**
   * Waits until the descriptor can be read without blocking: there is something, the end, or an error.
   *
   * @throws TypeError, RangeError
   * @rejects ABORT_ERR, ERR_OFFLOOP_TIMEOUT, ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_SYSTEM with errno and syscall: EBADF, or EPERM for
   *   files and folders, which are always ready; ERR_OFFLOOP_UNSUPPORTED for what this system cannot wait for
   * @example await reactor.readable(fd, { signal });
   */
  readable(fd: number, options?: WaitOptions): Promise<Readiness> {
    return this.#ready(fd, readiness.READABLE, options);
  }

  /** Waits until the descriptor can be written to without blocking; as `readable`. @example await reactor.writable(fd); */
  writable(fd: number, options?: WaitOptions): Promise<Readiness> {
    return this.#ready(fd, readiness.WRITABLE, options);
  }

  /**
   * Waits until `ms` milliseconds have passed, fractions too.
   *
   * @throws TypeError, RangeError
   * @rejects ABORT_ERR, ERR_OFFLOOP_CLOSED
   * @example await reactor.timer(0.25);
   */
  timer(ms: number, options: Pick<WaitOptions, 'signal'> = {}): Promise<void> {
    checkNumber('ms', ms, 0);
    checkObject('options', options);
    return this.#wait(-1, 0, ms, checkSignal('options.signal', options.signal)).then(() => {});
  }

  /**
   * Tells of a descriptor again and again, until the loop is left, the signal is aborted or the reactor is closed. Events
   * that nobody asks for cost nothing: by levels, the descriptor is looked at when the next one is asked for.
   *
   * @param what - what it is watched for: 'r', 'w' or both
   * @throws TypeError, RangeError
   * @rejects as `readable`; ERR_OFFLOOP_UNSUPPORTED where there are no edges, with poll and IOCP
   * @example
   * for await (const { hungUp } of reactor.watch(fd, 'r')) {
   *   fs.readSync(fd, buffer);
   *   if (hungUp) break;
   * }
   */
  watch(fd: number, what: 'r' | 'w' | 'rw' = 'r', options: WatchOptions = {}): AsyncIterableIterator<Readiness> {
    checkInteger('fd', fd, 0, MOST_DESCRIPTOR);
    const interest = INTERESTS[checkOneOf('what', what, ['r', 'w', 'rw'] as const)];
    checkObject('options', options);
    const mode = checkOneOf('options.mode', options.mode ?? 'level', ['level', 'edge'] as const);
    const signal = checkSignal('options.signal', options.signal);
    const kind = mode === 'edge' ? readiness.EDGE : readiness.AGAIN;
    const watch: Watch = new Watch(fd, interest, kind, {
      onBegin: () => {
        if (this.#closed) throw closedError();
        this.#waiting.add(watch.fail);
        return signal === undefined ? () => {} : onAbort(signal, watch.fail);
      },
      onEvent: () => void ++this.#delivered,
      onEnd: () => void this.#waiting.delete(watch.fail),
    });
    return watch;
  }

  stats(): ReactorStats {
    return { waiting: this.#waiting.size, delivered: this.#delivered, wakeUps: reactorWakeUps() };
  }

  /** What waits rejects with ERR_OFFLOOP_CLOSED, and so does what comes later. Closing twice is no mistake. */
  close(): void {
    this.#closed = true;
    for (const fail of this.#waiting) fail(closedError());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #ready(fd: number, interest: number, options: WaitOptions = {}): Promise<Readiness> {
    checkInteger('fd', fd, 0, MOST_DESCRIPTOR);
    checkObject('options', options);
    const { timeoutMs = Number.POSITIVE_INFINITY } = options;
    checkNumber('options.timeoutMs', timeoutMs, 0);
    return this.#wait(fd, interest, timeoutMs, checkSignal('options.signal', options.signal)).then((what) => {
      if (what !== readiness.TIME_IS_UP) return toReadiness(what);
      throw new OffloopError('ERR_OFFLOOP_TIMEOUT', `descriptor ${fd} was not ready within ${timeoutMs} ms`);
    });
  }

  /** The promise of all waits that are told once. */
  #wait(fd: number, interest: number, ms: number, signal: AbortSignal | undefined): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    return new Promise((resolve, reject) => {
      const number = readiness.begin(fd, interest, readiness.ONCE, ms, (what) => {
        ++this.#delivered;
        leave();
        resolve(what);
      });
      const fail = (error: Error) => {
        readiness.end(number);
        leave();
        reject(error);
      };
      const ignoreSignal = signal && onAbort(signal, fail);
      const leave = () => {
        readiness.release();
        this.#waiting.delete(fail);
        ignoreSignal?.();
      };
      this.#waiting.add(fail);
      readiness.hold();
    });
  }
}
