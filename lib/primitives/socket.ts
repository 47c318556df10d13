/** Socket: a TCP connection on a reactor. */
import { isIP } from 'node:net';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import {
  checkData,
  checkInteger,
  checkNumber,
  checkObject,
  checkSignal,
  checkText,
  type Data,
  invalidType,
  invalidValue,
} from '../check.js';
import { start } from '../default-pool.js';
import { AbortError, OffloopError, statusError, systemError } from '../errors.js';
import { toUint8Array } from '../memory.js';
import { lookup } from '../ops/lookup.js';
import { close, connect, receive, send, shutdown, socketError } from '../ring.js';
import { Reactor, type WaitOptions, type WatchOptions } from './reactor.js';
import { hasEdges } from './readiness.js';
import { AGAIN, Way } from './way.js';

export interface ConnectOptions extends WaitOptions {
  /** A name or an address. Default: 'localhost'. */
  host?: string;
  /** 1 to 65,535. */
  port: number;
}

/** Most bytes that a read returns unless it is told otherwise. */
const READ_BYTES = 64 * 1024;
/** What all sockets of this thread read into: how much will come is not known before. */
const scratch = Buffer.allocUnsafeSlow(READ_BYTES);
const TRY_AGAIN = -constants.errno.EAGAIN;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A TCP connection that reads and writes in its own thread, whenever the reactor says that it can: thousands of them take one
 * native thread. Small writes leave at once (TCP_NODELAY).
 *
 * Close it: one that is forgotten stays open until its thread ends.
 *
 * @example
 * const socket = await Socket.connect(reactor, { port: 7 });
 * await socket.write('ping');
 * const answer = await socket.read();
 * socket.close();
 */
export class Socket implements Disposable {
  /** The descriptor. */
  readonly fd: number;
  readonly #in: Way;
  readonly #out: Way;
  #closed = false;

  private constructor(reactor: Reactor, fd: number) {
    this.fd = fd;
    const options: WatchOptions = { mode: hasEdges ? 'edge' : 'level' };
    this.#in = new Way(reactor.watch(fd, 'r', options), false);
    this.#out = new Way(reactor.watch(fd, 'w', options), true);
  }

  /**
   * Connects. A name is looked up on the default pool first.
   *
   * @param options - `timeoutMs` is for all of it
   * @throws TypeError, RangeError
   * @rejects as `Reactor.writable`; ERR_OFFLOOP_SYSTEM with errno and syscall: ECONNREFUSED and others, or that of a look-up
   * @example const socket = await Socket.connect(reactor, { host: '127.0.0.1', port: 7, timeoutMs: 1000 });
   */
  static connect(reactor: Reactor, options: ConnectOptions): Promise<Socket> {
    if (!(reactor instanceof Reactor)) throw invalidType('reactor', 'an instance of Reactor', reactor);
    checkObject('options', options);
    const { host = 'localhost', port, timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    if (checkText('options.host', host) === '' || host.includes('\0')) {
      throw invalidValue('options.host', 'must be a name or an address', host);
    }
    checkInteger('options.port', port, 1, 65_535);
    checkNumber('options.timeoutMs', timeoutMs, 0);
    checkSignal('options.signal', signal);
    return Socket.#connect(reactor, host, port, timeoutMs, signal);
  }

  static async #connect(reactor: Reactor, host: string, port: number, timeoutMs: number, signal?: AbortSignal) {
    const due = performance.now() + timeoutMs;
    const address = isIP(host) === 0 ? await find(host, timeoutMs, signal) : host;
    if (signal?.aborted) throw new AbortError(signal.reason);
    const fd = connect(address, port);
    if (fd < 0) throw systemError(fd, 'connect');
    try {
      await reactor.writable(fd, { timeoutMs: Math.max(0, due - performance.now()), signal });
      const error = socketError(fd);
      if (error < 0) throw systemError(error, 'connect');
      return new Socket(reactor, fd);
    } catch (error) {
      close(fd);
      if ((error as OffloopError).code === 'ERR_OFFLOOP_TIMEOUT') throw timeUp(host, timeoutMs);
      throw error;
    }
  }

  /**
   * Reads what has come, as soon as something has; reads follow one another.
   *
   * @param max - most bytes, 1 or more. Default: 64 KiB
   * @returns bytes, one at least; or null when the other end has finished
   * @throws RangeError, TypeError
   * @rejects ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_SYSTEM with errno and syscall
   * @example for (let bytes; (bytes = await socket.read()) !== null; ) hash.update(bytes);
   */
  read(max: number = READ_BYTES): Promise<Buffer | null> {
    checkInteger('max', max, 1);
    return this.#in.call(() => this.#receive(max));
  }

  #receive(max: number): Buffer | null | typeof AGAIN {
    this.#throwIfClosed();
    const into = scratch.subarray(0, max);
    const count = receive(this.fd, into);
    if (count === TRY_AGAIN) return AGAIN;
    if (count < 0) throw systemError(count, 'recv');
    // By edges there may be more although it was less than asked for: the end, which came with it and is no other edge.
    this.#in.isReady = hasEdges || count === into.length;
    return count === 0 ? null : Buffer.from(into.subarray(0, count));
  }

  /**
   * Writes all of it, after what was written before.
   *
   * @param data - not to be changed or transferred before the promise settles. A string is UTF-8
   * @throws TypeError
   * @rejects ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_DETACHED; ERR_OFFLOOP_SYSTEM with errno and syscall
   * @example await socket.write('GET / HTTP/1.0\r\n\r\n');
   */
  write(data: Data): Promise<void> {
    checkData('data', data);
    const bytes = typeof data === 'string' ? Buffer.from(data) : toUint8Array(data);
    if (bytes === undefined) return Promise.reject(statusError('DETACHED'));
    const size = bytes.length;
    let sent = 0;
    return this.#out.call(() => {
      this.#throwIfClosed();
      if (bytes.length !== size) throw statusError('DETACHED');
      const count = size === 0 ? 0 : send(this.fd, bytes.subarray(sent));
      if (count < 0 && count !== TRY_AGAIN) throw systemError(count, 'send');
      sent += Math.max(0, count);
      return sent === size ? undefined : AGAIN;
    });
  }

  /** Says that nothing more will be written, when everything has left; the other end reads null then. @rejects as `write` */
  end(): Promise<void> {
    return this.#out.call(() => {
      this.#throwIfClosed();
      const error = shutdown(this.fd);
      if (error < 0) throw systemError(error, 'shutdown');
      return undefined;
    });
  }

  /** What waits rejects with ERR_OFFLOOP_CLOSED. Closing twice is no mistake. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#in.end();
    this.#out.end();
    close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new OffloopError('ERR_OFFLOOP_CLOSED', 'the socket is closed');
  }
}

/** Looks a name up, in time. */
async function find(host: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<string> {
  const looking = start(lookup, [host], { signal });
  const timer = setTimeout(() => looking.cancel(timeUp(host, timeoutMs)), Math.min(timeoutMs, LONGEST_TIMER_MS));
  try {
    return (await looking).address;
  } catch (error) {
    const { code, cause } = error as OffloopError;
    throw code === 'ERR_OFFLOOP_CANCELLED' ? cause : error;
  } finally {
    clearTimeout(timer);
  }
}

function timeUp(host: string, timeoutMs: number): OffloopError {
  return new OffloopError('ERR_OFFLOOP_TIMEOUT', `${host} has not answered within ${timeoutMs} ms`);
}
