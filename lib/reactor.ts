/** Reactor: waiting for descriptors and times, all in one native thread. */
import { onAbort } from './abort.js';
import { checkInteger, checkNumber, checkObject, checkOneOf, invalidType } from './check.js';
import { AbortError, OffloopError } from './errors.js';
import { native } from './native.js';
import * as readiness from './readiness.js';
import { reactorWakeUps } from './ring.js';

/** What a descriptor is ready for. */
export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
  /** It is broken, or its other end is gone: the next read or write tells. */
  readonly hungUp: boolean;
}

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

type Read = IteratorResult<Readiness, undefined>;
type Fail = (error: Error) => void;

const END: Read = Object.freeze({ value: undefined, done: true });
const INTERESTS = Object.freeze({ r: readiness.READABLE, w: readiness.WRITABLE, rw: 3 });
const MOST_DESCRIPTOR = 2 ** 31 - 1;

function toReadiness(what: number): Readiness {
  return {
    readable: (what & readiness.READABLE) !== 0,
    writable: (what & readiness.WRITABLE) !== 0,
    hungUp: (what & readiness.HUNG_UP) !== 0,
  };
}

function closedError(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_CLOSED', 'the reactor is closed');
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalidType('options.signal', 'an instance of AbortSignal', signal);
}

/**
 * Waits for file descriptors and times. All reactors of a process, those of worker_threads included, are served by one
 * native thread, which nothing costs anything while nothing happens: neither 10,000 descriptors nor as many reactors.
 *
 * A descriptor is one of sockets, pipes, FIFOs, terminals and the like, from a native addon, `fs.openSync` or, on POSIX
 * systems, `socket._handle.fd` of node:net. It stays the caller's: end what waits for it before it is closed. If it is closed
 * all the same, those who wait hear nothing more, and nothing of what gets its number next.
 *
 * Any number of waits and watches may be for the same descriptor. The process stays alive while a promise of a reactor is
 * pending.
 *
 * @example
 * const reactor = new Reactor();
 * await reactor.readable(fd, { timeoutMs: 1000 });
 */
export class Reactor implements AsyncDisposable {
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
   *   files and folders, which are always ready
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
    return this.#wait(-1, 0, ms, checkSignal(options.signal)).then(() => {});
  }

  /**
   * Tells of a descriptor again and again, until the loop is left, the signal is aborted or the reactor is closed. Events
   * that nobody asks for cost nothing: by levels, the descriptor is looked at when the next one is asked for.
   *
   * @param what - what it is watched for: 'r', 'w' or both
   * @throws TypeError
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
    const signal = checkSignal(options.signal);
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #ready(fd: number, interest: number, options: WaitOptions = {}): Promise<Readiness> {
    checkInteger('fd', fd, 0, MOST_DESCRIPTOR);
    checkObject('options', options);
    const { timeoutMs = Number.POSITIVE_INFINITY } = options;
    checkNumber('options.timeoutMs', timeoutMs, 0);
    return this.#wait(fd, interest, timeoutMs, checkSignal(options.signal)).then((what) => {
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
      readiness.hold();
      this.#waiting.add(fail);
    });
  }
}

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

/** A descriptor's events, for one reader. Begins when the first event is asked for. */
class Watch implements AsyncIterableIterator<Readiness, undefined> {
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
    if (this.#unread === 0 && this.#number !== undefined && this.#kind === readiness.EDGE) readiness.look();
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
