/** The two ways of a socket: calls that follow one another, and leave the loop to others. */
import type { Socket as NodeSocket } from 'node:net';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { run } from '../lib/index.js';
import { spin } from '../lib/ops.js';
import { Reactor, Socket } from '../lib/primitives.js';
import { rejection, until } from './support/gate.js';
import { listen, listenAndEcho } from './support/servers.js';

const reactor = new Reactor();
const connect = (port: number) => Socket.connect(reactor, { host: '127.0.0.1', port });
const text = (bytes: Buffer | null) => bytes?.toString() ?? null;

test('reads that wait together are answered one after the other, from one event', async () => {
  const port = await listen((other) => other.once('data', () => other.write('ab')));
  using socket = await connect(port);
  const reads = [socket.read(1), socket.read(1)];
  await socket.write('now');
  expect((await Promise.all(reads)).map(text)).toEqual(['a', 'b']);
});

test('reads that wait together wait on, each for its own event', async () => {
  const port = await listenAndEcho();
  using socket = await connect(port);
  const reads = [socket.read(), socket.read(), socket.read()];
  for (const [i, read] of reads.entries()) {
    await socket.write(`${i}`);
    expect(text(await read)).toBe(`${i}`);
  }
});

test('reads that wait together all hear of the end', async () => {
  const port = await listen((other) => other.once('data', () => other.end('last')));
  using socket = await connect(port);
  const reads = [socket.read(), socket.read(), socket.read()];
  await socket.write('now');
  expect((await Promise.all(reads)).map(text)).toEqual(['last', null, null]);
});

test('reads that wait together all end with a connection that is reset', async () => {
  const port = await listen((other) => other.once('data', () => other.resetAndDestroy()));
  using socket = await connect(port);
  const reads = Promise.allSettled([socket.read(), socket.read()]);
  await socket.write('now');
  expect((await reads).length).toBe(2);
});

test('what always has something to read leaves the loop to others', async () => {
  const chunk = Buffer.alloc(1 << 16);
  const port = await listen((other) => {
    const more = () => {
      while (!other.destroyed && other.write(chunk));
    };
    other.on('drain', more);
    more();
  });
  using socket = await connect(port);
  let turns = 0;
  const timer = setInterval(() => ++turns, 1);
  for (let reads = 0; turns < 20; ++reads) {
    await socket.read(16);
    expect(reads).toBeLessThan(1e6); // no timer comes in between
  }
  clearInterval(timer);
});

test('what can always be written leaves the loop to others', async () => {
  const port = await listen((other) => other.resume());
  using socket = await connect(port);
  let turns = 0;
  const timer = setInterval(() => ++turns, 1);
  for (let writes = 0; turns < 20; ++writes) {
    await socket.write('x');
    expect(writes).toBeLessThan(1e6);
  }
  clearInterval(timer);
});

test('a write that goes on after its memory was detached rejects', async () => {
  let other: NodeSocket | undefined;
  const port = await listen((socket) => {
    other = socket.pause();
  });
  using socket = await connect(port);
  const bytes = new Uint8Array(64 << 20);
  const write = rejection(socket.write(bytes));
  await until(() => other !== undefined, 'the server has a connection');
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  other?.resume();
  expect(await write).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  expect(await rejection(socket.write(bytes))).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
});

test('what is written says nothing of itself', async () => {
  const port = await listenAndEcho();
  using socket = await connect(port);
  const get = () => socket.close();
  const liars: PropertyDescriptorMap[] = [
    { length: { value: 9 } },
    { length: { value: 1 } },
    { length: { get }, subarray: { get } },
  ];
  for (const lie of liars) {
    await socket.write(Object.defineProperties(new Uint8Array([97, 98, 99]), lie));
    expect(text(await socket.read())).toBe('abc');
  }
});

test('one way may end before the other', async () => {
  const port = await listenAndEcho();
  using socket = await connect(port);
  const ended = [socket.write('all'), socket.end()];
  await Promise.all(ended);
  expect(text(await socket.read())).toBe('all');
  expect(await socket.read()).toBe(null);
  expect(await rejection(socket.write('more'))).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'send' });
});

test('the time to connect includes that of the look-up', async () => {
  const port = await listenAndEcho();
  const controller = new AbortController();
  const { signal } = controller;
  const busy = Array.from({ length: availableParallelism() }, () => run(spin, [60_000], { signal }));
  const error = await rejection(Socket.connect(reactor, { host: 'localhost', port, timeoutMs: 30 }));
  controller.abort();
  expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT', message: 'localhost has not answered within 30 ms' });
  await Promise.allSettled(busy);
});
