import { beforeAll, describe, expect, test } from 'vitest';
import type { Reactor, Socket } from '../lib/primitives.js';
import { rejection } from './support/gate.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';
import { openDescriptors } from './support/proc.js';
import { runProgram } from './support/program.js';
import { listen, listenAndEcho, stopListening } from './support/servers.js';

const isWindows = process.platform === 'win32';

describe.each(doorbells)("a socket, with the doorbell '%s'", (doorbell) => {
  let offloop: Offloop;
  let reactor: Reactor;
  beforeAll(async () => {
    offloop = await loadOffloop(doorbell);
    reactor = new offloop.Reactor();
  });
  const connect = (port: number): Promise<Socket> => offloop.Socket.connect(reactor, { host: '127.0.0.1', port });

  async function readAll(socket: Socket): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const part = await socket.read();
      if (part === null) return Buffer.concat(parts);
      parts.push(part);
    }
  }

  test('sends and receives', async () => {
    const socket = await connect(await listenAndEcho());
    for (let i = 0; i < 100; ++i) {
      await socket.write(`message ${i}`);
      expect((await socket.read())?.toString()).toBe(`message ${i}`);
    }
    socket.close();
  });

  test('sends more than fits at once, in order, and bytes of every kind', async () => {
    let received: Promise<Buffer> | undefined;
    const port = await listen((socket) => {
      received = (async () => {
        const parts: Buffer[] = [];
        for await (const part of socket) parts.push(part);
        return Buffer.concat(parts);
      })();
    });
    const socket = await connect(port);
    const large = Buffer.alloc(8 << 20, 'large');
    const writes = ['first', large, new Uint8Array([1, 2]), new Uint16Array([3]), new Uint8Array([4]).buffer, ''];
    await Promise.all(writes.map((data) => socket.write(data)));
    socket.close();
    const expected = [Buffer.from('first'), large, Buffer.from([1, 2, 3, 0, 4])];
    expect(Buffer.compare((await received) as Buffer, Buffer.concat(expected))).toBe(0);
  });

  test('receives as much as it is asked for, and null at the end', async () => {
    const socket = await connect(await listen((other) => other.end('abcdefg')));
    expect((await socket.read(3))?.toString()).toBe('abc');
    expect((await socket.read(1))?.toString()).toBe('d');
    expect((await readAll(socket)).toString()).toBe('efg');
    expect(await socket.read()).toBeNull();
    socket.close();
  });

  test('receives megabytes while it sends them', async () => {
    const socket = await connect(await listenAndEcho());
    const sent = Buffer.alloc(4 << 20);
    for (let i = 0; i < sent.length; i += 4096) sent.writeUInt32LE(i, i);
    const write = socket.write(sent);
    const parts: Buffer[] = [];
    for (let count = 0; count < sent.length; count += parts.at(-1)?.length ?? 0) {
      parts.push((await socket.read()) as Buffer);
    }
    await write;
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    socket.close();
  });

  test('finds a host by its name', async () => {
    const port = await listenAndEcho();
    const socket = await offloop.Socket.connect(reactor, { host: 'localhost', port }).catch(() => connect(port));
    await socket.write('hello');
    expect((await socket.read())?.toString()).toBe('hello');
    socket.close();
    const unknown = offloop.Socket.connect(reactor, { host: 'no such host', port });
    expect(await rejection(unknown)).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'getaddrinfo' });
  });

  test('says why it cannot connect, and leaves nothing open', async () => {
    const port = await listenAndEcho();
    stopListening();
    const before = openDescriptors().length;
    const error = await rejection(connect(port));
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'connect', cause: { code: 'ECONNREFUSED' } });
    const controller = new AbortController();
    controller.abort('enough');
    const { signal } = controller;
    const aborted = offloop.Socket.connect(reactor, { host: '127.0.0.1', port, signal });
    expect(await rejection(aborted)).toMatchObject({ code: 'ABORT_ERR' });
    expect(openDescriptors().length).toBeLessThanOrEqual(before);
  });

  test('says what became of its connection', async () => {
    using socket = await connect(await listen((other) => other.on('data', () => other.resetAndDestroy())));
    await socket.write('reset');
    const told = await readAll(socket).then(
      () => 'ended',
      ({ code, syscall, cause }) => `${code} ${syscall} ${cause.code}`,
    );
    // The server of wine takes the error from the system, so a read of whoever waited for it finds the end.
    const read = ['ERR_OFFLOOP_SYSTEM recv ECONNRESET', ...(isWindows ? ['ended'] : [])];
    expect(read).toContain(told);
    const { syscall, cause } = await rejection(socket.write('more'));
    expect(syscall).toBe('send');
    expect(isWindows ? ['ECONNRESET', 'ECONNABORTED'] : ['EPIPE']).toContain((cause as NodeJS.ErrnoException).code);
  });

  test('rejects what waits when it is closed', async () => {
    const socket = await connect(await listen((other) => other.pause()));
    const waits = [socket.read(), socket.write(Buffer.alloc(64 << 20)), socket.write('more')].map(rejection);
    await reactor.timer(10);
    socket.close();
    socket.close();
    for (const error of await Promise.all([...waits, rejection(socket.read()), rejection(socket.write('x'))])) {
      expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_CLOSED' });
    }
    expect(reactor.stats().waiting).toBe(0);
  });

  test('can be waited for by its descriptor', async () => {
    using socket = await connect(await listenAndEcho());
    expect(await reactor.writable(socket.fd)).toEqual({ readable: false, writable: true, hungUp: false });
    await socket.write('x');
    expect(await reactor.readable(socket.fd)).toEqual({ readable: true, writable: false, hungUp: false });
  });

  test('rejects what waits when its reactor is closed', async () => {
    const closing = new offloop.Reactor();
    const port = await listenAndEcho();
    using socket = await offloop.Socket.connect(closing, { host: '127.0.0.1', port });
    const read = rejection(socket.read());
    closing.close();
    const closed = { code: 'ERR_OFFLOOP_CLOSED', message: 'the reactor is closed' };
    expect(await read).toMatchObject(closed);
    expect(await rejection(socket.read())).toMatchObject(closed);
    await socket.write('as long as it need not wait');
  });

  test('is one of a thousand on one reactor', async () => {
    const port = await listenAndEcho();
    const talk = async (i: number) => {
      using socket = await connect(port);
      await socket.write(`hello ${i}`);
      return (await socket.read())?.toString();
    };
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => talk(i)));
    expect(answers).toEqual(Array.from({ length: 1000 }, (_, i) => `hello ${i}`));
  });

  test('throws at once for mistakes', () => {
    const wrong = (call: () => unknown, code: string) => expect(call).toThrow(expect.objectContaining({ code }));
    const { connect } = offloop.Socket;
    wrong(() => connect({} as never, { port: 1 }), 'ERR_INVALID_ARG_TYPE');
    wrong(() => connect(reactor, undefined as never), 'ERR_INVALID_ARG_TYPE');
    wrong(() => connect(reactor, { port: 0 }), 'ERR_OUT_OF_RANGE');
    wrong(() => connect(reactor, { port: 65_536 }), 'ERR_OUT_OF_RANGE');
    wrong(() => connect(reactor, { port: 1, host: 1 as never }), 'ERR_INVALID_ARG_TYPE');
    wrong(() => connect(reactor, { port: 1, host: '' }), 'ERR_INVALID_ARG_VALUE');
    wrong(() => connect(reactor, { port: 1, host: 'a\0' }), 'ERR_INVALID_ARG_VALUE');
    wrong(() => connect(reactor, { port: 1, timeoutMs: 'x' as never }), 'ERR_INVALID_ARG_TYPE');
    wrong(() => connect(reactor, { port: 1, signal: 5 as never }), 'ERR_INVALID_ARG_TYPE');
    expect(() => connect(reactor, { port: 1, host: 'a\0' })).toThrow('options.host');
  });
});

test('a socket that is open when its worker_thread ends is closed', async () => {
  const outcome = await runProgram(`
    import { once } from 'node:events';
    import { createServer } from 'node:net';
    import { Worker } from 'node:worker_threads';
    let closed = 0;
    const server = createServer((socket) => socket.resume().on('close', () => ++closed).on('error', () => {}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const source = \`
      const { parentPort, workerData: port } = require('node:worker_threads');
      import('offloop/primitives').then(async ({ Reactor, Socket }) => {
        const reactor = new Reactor();
        const sockets = [];
        for (let i = 0; i < 10; ++i) sockets.push(await Socket.connect(reactor, { host: '127.0.0.1', port }));
        for (const socket of sockets) socket.read();
        parentPort.postMessage('reads');
      });
    \`;
    const worker = new Worker(source, { eval: true, workerData: server.address().port, execArgv: [] });
    await once(worker, 'message');
    await worker.terminate();
    while (closed < 10) await new Promise((go) => setTimeout(go, 5));
    server.close();
    console.log(closed);
  `);
  expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '10\n', stderr: '' });
});
