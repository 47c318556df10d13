/** What only Windows has a reactor watch: handles of named pipes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Reactor } from '../lib/primitives.js';
import { rejection } from './support/gate.js';

const isWindows = process.platform === 'win32';
type Calls = typeof import('./support/windows.js');
const { availableIn, closeHandle, openNamedPipe } = (isWindows ? await import('./support/windows.js') : {}) as Calls;

describe.runIf(isWindows)('a named pipe that was opened for overlapped calls', () => {
  const reactor = new Reactor();
  const opened: { pipe: number; writer: Socket }[] = [];
  let made = 0;

  async function open(): Promise<{ pipe: number; writer: Socket }> {
    const name = `\\\\.\\pipe\\offloop-reactor-${process.pid}-${++made}`;
    const ends = { pipe: openNamedPipe(name), writer: connect(name) };
    opened.push(ends);
    await once(ends.writer, 'connect');
    return ends;
  }
  afterEach(() => {
    for (const { pipe, writer } of opened.splice(0)) {
      writer.destroy();
      closeHandle(pipe);
    }
  });

  test('tells when there is something to read, and that its other end is gone', async () => {
    const { pipe, writer } = await open();
    const ready = reactor.readable(pipe);
    writer.write('hello');
    expect(await ready).toEqual({ readable: true, writable: false, hungUp: false });
    expect(availableIn(pipe)).toBe(5);
    expect(await reactor.readable(pipe)).toMatchObject({ readable: true });

    const { pipe: silent, writer: leaving } = await open();
    const end = reactor.readable(silent);
    leaving.end();
    expect(await end).toMatchObject({ readable: true, hungUp: true });
  });

  test('is watched as long as the loop asks', async () => {
    const { pipe, writer } = await open();
    writer.write('x');
    let events = 0;
    for await (const { readable } of reactor.watch(pipe, 'r')) {
      expect(readable).toBe(true);
      expect(availableIn(pipe)).toBe(++events);
      if (events === 10) break;
      await new Promise((written) => writer.write('x', written));
    }
    expect(reactor.stats().waiting).toBe(0);
  });

  test('is given up when the signal is aborted or the time is up, and watched again', async () => {
    const { pipe, writer } = await open();
    const signal = AbortSignal.timeout(5);
    expect(await rejection(reactor.readable(pipe, { signal }))).toMatchObject({ code: 'ABORT_ERR' });
    expect(await rejection(reactor.readable(pipe, { timeoutMs: 5 }))).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    writer.write('x');
    expect(await reactor.readable(pipe)).toMatchObject({ readable: true });
  });

  test('cannot be waited for until there is room to write', async () => {
    const { pipe } = await open();
    expect(await rejection(reactor.writable(pipe))).toMatchObject({ code: 'ERR_OFFLOOP_UNSUPPORTED' });
  });
});
