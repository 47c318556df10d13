/** Socket: a TCP connection on a reactor. */
import { isIP } from 'node:net';
import { constants } from 'node:os';
import { type Bytes, checkBytes, checkInteger, checkObject, checkText, invalidType } from './check.js';
import { OffloopError, systemError } from './errors.js';
import { lookup } from './ops/lookup.js';
import { Reactor, type WaitOptions, type WatchOptions } from './reactor.js';
import { hasEdges, type Readiness } from './readiness.js';
import { close, connect, receive, send, socketError } from './ring.js';

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

function closedError(): OffloopError {
  return new OffloopError('ERR_OFFLOOP_CLOSED', 'the socket is closed');
}

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
  readonly #readable: AsyncIterableIterator<Readiness>;
  readonly #writable: AsyncIterableIterator<Readiness>;
  /** There is nothing left, so the next read waits before it reads. */
  #drained = true;
  /** Until it has left; writes follow one another. */
  #write: Promise<void> | undefined;
  #closed = false;

  private constructor(reactor: Reactor, fd: number) {
    this.fd = fd;
    const options: WatchOptions = { mode: hasEdges ? 'edge' : 'level' };
    this.#readable = reactor.watch(fd, 'r', options);
    this.#writable = reactor.watch(fd, 'w', options);
  }

  /**
   * Connects. A name is looked up on the default pool first.
   *
   * @throws TypeError, RangeError
   * @rejects as `Reactor.writable`; ERR_OFFLOOP_SYSTEM with errno and syscall: ECONNREFUSED and others, or that of a look-up
   * @example const socket = await Socket.connect(reactor, { host: '127.0.0.1', port: 7, timeoutMs: 1000 });
   */
  static connect(reactor: Reactor, options: ConnectOptions): Promise<Socket> {
    if (!(reactor instanceof Reactor)) throw invalidType('reactor', 'an instance of Reactor', reactor);
    checkObject('options', options);
    const { host = 'localhost', port, ...wait } = options;
    checkText('options.host', host);
    checkInteger('options.port', port, 1, 65_535);
    return Socket.#connect(reactor, host, port, wait);
  }

  static async #connect(reactor: Reactor, host: string, port: number, options: WaitOptions): Promise<Socket> {
    const address = isIP(host) === 0 ? (await lookup(host, options)).address : host;
    const fd = connect(address, port);
    if (fd < 0) throw systemError(fd, 'connect');
    try {
      await reactor.writable(fd, options);
      const error = socketError(fd);
      if (error < 0) throw systemError(error, 'connect');
      return new Socket(reactor, fd);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /**
   * Reads what has come, as soon as something has.
   *
   * @param max - most bytes, 1 or more. Default: 64 KiB
   * @returns bytes, one at least; or null when the other end has finished
   * @throws RangeError, TypeError
   * @rejects ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_SYSTEM with errno and syscall
   */
  read(max: number = READ_BYTES): Promise<Buffer | null> {
    return this.#read(checkInteger('max', max, 1));
  }

  async #read(max: number): Promise<Buffer | null> {
    const into = scratch.subarray(0, max);
    for (;;) {
      if (this.#drained) await this.#next(this.#readable);
      if (this.#closed) throw closedError();
      const count = receive(this.fd, into);
      // By edges only when there is nothing left: the end may have come with the last bytes, and is no other edge then.
      this.#drained = hasEdges ? count === TRY_AGAIN : count < into.length;
      if (count >= 0) return count === 0 ? null : Buffer.from(into.subarray(0, count));
      if (count !== TRY_AGAIN) throw systemError(count, 'recv');
    }
  }

  /**
   * Writes all of it, after what was written before.
   *
   * @param data - not to be changed before the promise settles. A string is UTF-8
   * @throws TypeError
   * @rejects ERR_OFFLOOP_CLOSED; ERR_OFFLOOP_SYSTEM with errno and syscall
   */
  write(data: Bytes | string): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : viewOf(checkBytes('data', data));
    return this.#write === undefined ? this.#begin(bytes) : this.#follow(this.#write, bytes);
  }

  /** Most writes leave whole, and then nobody has to wait. */
  #begin(bytes: Uint8Array): Promise<void> {
    try {
      const left = this.#send(bytes);
      return left.length === 0 ? Promise.resolve() : this.#follow(this.#next(this.#writable), left);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #follow(before: Promise<void>, bytes: Uint8Array): Promise<void> {
    const write = before.then(() => this.#finish(bytes));
    const leave = () => {
      if (this.#write === write) this.#write = undefined;
    };
    this.#write = write;
    write.then(leave, leave);
    return write;
  }

  async #finish(bytes: Uint8Array): Promise<void> {
    for (let left = this.#send(bytes); left.length > 0; left = this.#send(left)) await this.#next(this.#writable);
  }

  /** Returns what did not fit. @throws OffloopError */
  #send(bytes: Uint8Array): Uint8Array {
    if (this.#closed) throw closedError();
    const count = bytes.length === 0 ? 0 : send(this.fd, bytes);
    if (count < 0 && count !== TRY_AGAIN) throw systemError(count, 'send');
    return bytes.subarray(Math.max(0, count));
  }

  /** What waits rejects with ERR_OFFLOOP_CLOSED. Closing twice is no mistake. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#readable.return?.();
    void this.#writable.return?.();
    close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @rejects ERR_OFFLOOP_CLOSED */
  async #next(events: AsyncIterableIterator<Readiness>): Promise<void> {
    const { done } = await events.next();
    if (done) throw closedError();
  }
}

function viewOf(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
