import { getEventListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { beforeAll, describe, expect, test } from 'vitest';
import type { Reactor } from '../lib/primitives.js';
import { close, drain, fill, openBoth, openFile, openPipe, send } from './support/descriptors.js';
import { inOrder, rejection } from './support/gate.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';

describe.each(doorbells)("a reactor, with the doorbell '%s'", (doorbell) => {
  let offloop: Offloop;
  let reactor: Reactor;
  beforeAll(async () => {
    offloop = await loadOffloop(doorbell);
    reactor = new offloop.Reactor();
  });

  /** Whether the promise is still pending when everything that was ready has been told. */
  async function isPending(promise: Promise<unknown>): Promise<boolean> {
    const late = reactor.timer(5).then(() => 'late');
    return (await Promise.race([promise.then(() => 'settled'), late])) === 'late';
  }

  test('tells when a descriptor is readable', async () => {
    const { reading, writing } = openPipe();
    const ready = reactor.readable(reading);
    expect(await isPending(ready)).toBe(true);
    send(writing);
    expect(await ready).toEqual({ readable: true, writable: false, hungUp: false });
    expect(await reactor.readable(reading)).toMatchObject({ readable: true });
    drain(reading);
    const next = reactor.readable(reading);
    expect(await isPending(next)).toBe(true);
    send(writing);
    await next;
  });

  test('tells when a descriptor is writable', async () => {
    const { reading, writing } = openPipe();
    expect(await reactor.writable(writing)).toEqual({ readable: false, writable: true, hungUp: false });
    fill(writing);
    const ready = reactor.writable(writing);
    expect(await isPending(ready)).toBe(true);
    drain(reading);
    await ready;
  });

  test('tells that the other end is gone', async () => {
    const { reading, writing } = openPipe();
    const ready = reactor.readable(reading);
    close(writing);
    expect(await ready).toMatchObject({ readable: true, hungUp: true });
  });

  test('serves any number of waits for the same descriptor', async () => {
    const fd = openBoth();
    const readers = Array.from({ length: 100 }, () => reactor.readable(fd));
    const writers = Array.from({ length: 100 }, () => reactor.writable(fd));
    await Promise.all(writers);
    send(fd);
    for (const ready of await Promise.all(readers)) expect(ready).toMatchObject({ readable: true, writable: false });
  });

  test('serves several reactors that wait for the same descriptor', async () => {
    const others = [new offloop.Reactor(), new offloop.Reactor()] as const;
    const { reading, writing } = openPipe();
    const [first, second] = others.map((other) => other.readable(reading)) as [Promise<unknown>, Promise<unknown>];
    others[0].close();
    expect(await rejection(first)).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    send(writing);
    await second;
  });

  test('tells which mechanism waits', () => {
    const native = { linux: 'epoll', darwin: 'kqueue', win32: 'iocp' }[process.platform as string];
    expect([native, 'poll']).toContain(reactor.backend); // poll where the fallback was built
  });

  test('gives up when the signal is aborted, and holds on to nothing', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { reading, writing } = openPipe();
    const errors = [reactor.readable(reading, { signal }), reactor.timer(60_000, { signal })].map(rejection);
    expect(reactor.stats().waiting).toBe(2);
    controller.abort('enough');
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    }
    expect(reactor.stats().waiting).toBe(0);
    expect(await rejection(reactor.readable(reading, { signal }))).toMatchObject({ code: 'ABORT_ERR' });
    const before = reactor.stats().delivered;
    send(writing);
    await reactor.readable(reading, { signal: new AbortController().signal });
    expect(reactor.stats().delivered).toBe(before + 1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('gives up after timeoutMs', async () => {
    const { reading, writing } = openPipe();
    const error = await rejection(reactor.readable(reading, { timeoutMs: 2.5 }));
    expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_TIMEOUT' });
    expect(error.message).toBe(`descriptor ${reading} was not ready within 2.5 ms`);
    send(writing);
    expect(await reactor.readable(reading, { timeoutMs: 60_000 })).toMatchObject({ readable: true });
    expect(await reactor.readable(reading, { timeoutMs: Number.POSITIVE_INFINITY })).toMatchObject({ readable: true });
  });

  test('keeps a thousand times, of less than a millisecond too, and is never early', async () => {
    const early: number[] = [];
    const keep = async (ms: number) => {
      const began = performance.now();
      await reactor.timer(ms);
      if (performance.now() - began < ms) early.push(ms);
    };
    await Promise.all(Array.from({ length: 1000 }, (_, i) => keep(((i * 7919) % 1000) / 100)));
    expect(early).toEqual([]);
  });

  test.each([
    { what: 'no descriptor', open: () => 99_999, expected: { code: 'ERR_OFFLOOP_SYSTEM', cause: { code: 'EBADF' } } },
    {
      what: 'a file',
      open: () => openFile('package.json'),
      expected: { code: 'ERR_OFFLOOP_SYSTEM', cause: { code: 'EPERM' } },
    },
  ])('refuses $what, and says why', async ({ open, expected }) => {
    const fd = open();
    const error = await rejection(reactor.readable(fd));
    expect(error).toMatchObject(expected);
    expect(error.errno).toBe((error.cause as NodeJS.ErrnoException).errno);
    if (reactor.backend === 'epoll') expect(error.syscall).toBe('epoll_ctl');
    await expect(reactor.watch(fd, 'w').next()).rejects.toMatchObject(expected);
    expect(reactor.stats().waiting).toBe(0);
  });

  test('throws at once for mistakes', () => {
    const wrong = (call: () => unknown, code: string) => expect(call).toThrow(expect.objectContaining({ code }));
    wrong(() => reactor.readable('1' as never), 'ERR_INVALID_ARG_TYPE');
    wrong(() => reactor.readable(-1), 'ERR_OUT_OF_RANGE');
    wrong(() => reactor.writable(1.5), 'ERR_OUT_OF_RANGE');
    wrong(() => reactor.readable(2 ** 31), 'ERR_OUT_OF_RANGE');
    wrong(() => reactor.readable(0, { timeoutMs: -1 }), 'ERR_OUT_OF_RANGE');
    wrong(() => reactor.readable(0, { signal: {} as never }), 'ERR_INVALID_ARG_TYPE');
    wrong(() => reactor.readable(0, null as never), 'ERR_INVALID_ARG_TYPE');
    wrong(() => reactor.timer(Number.NaN), 'ERR_OUT_OF_RANGE');
    wrong(() => reactor.watch(0, 'x' as never), 'ERR_INVALID_ARG_VALUE');
    wrong(() => reactor.watch(0, 'r', { mode: 'once' as never }), 'ERR_INVALID_ARG_VALUE');
  });

  describe('that watches', () => {
    test('tells of a descriptor as long as the loop asks', async () => {
      const { reading, writing } = openPipe();
      send(writing);
      let rounds = 0;
      for await (const event of reactor.watch(reading, 'r')) {
        expect(event).toEqual({ readable: true, writable: false, hungUp: false });
        expect(drain(reading)).toBe(1);
        if (++rounds === 100) break;
        send(writing);
      }
      expect(reactor.stats().waiting).toBe(0);
    });

    test('tells again of what was left, by levels', async () => {
      const { reading, writing } = openPipe();
      send(writing);
      const watch = reactor.watch(reading);
      for (let i = 0; i < 3; ++i) expect((await watch.next()).value).toMatchObject({ readable: true });
      drain(reading);
      const next = watch.next();
      expect(await isPending(next)).toBe(true);
      send(writing);
      await next;
      await watch.return?.();
    });

    test('tells once of what is left, by edges', async () => {
      const fd = openBoth();
      const watch = reactor.watch(fd, 'r', { mode: 'edge' });
      if (reactor.backend === 'poll' || reactor.backend === 'iocp') {
        await expect(watch.next()).rejects.toMatchObject({ code: 'ERR_OFFLOOP_UNSUPPORTED' });
        return;
      }
      send(fd);
      expect((await watch.next()).value).toMatchObject({ readable: true });
      const next = watch.next();
      expect(await isPending(next)).toBe(true);
      send(fd);
      await next;
      // What comes while nobody asks is told when somebody does, once.
      for (let i = 0; i < 3; ++i) {
        send(fd);
        await reactor.timer(1);
      }
      await watch.next();
      const last = watch.next();
      expect(await isPending(last)).toBe(true);
      send(fd);
      await last;
      // As what comes while this thread waits for nothing at all.
      send(fd);
      await pause(20);
      expect((await watch.next()).value).toMatchObject({ readable: true });
      await watch.return?.();
    });

    test('tells both directions', async () => {
      const fd = openBoth();
      fill(fd);
      const watch = reactor.watch(fd, 'rw');
      expect((await watch.next()).value).toMatchObject({ readable: true, writable: false });
      drain(fd);
      expect((await watch.next()).value).toMatchObject({ readable: false, writable: true });
      await watch.return?.();
    });

    test('costs nothing while nobody asks', async () => {
      const fd = openBoth();
      const watch = reactor.watch(fd, 'w');
      await watch.next();
      await reactor.timer(1);
      const before = reactor.stats().wakeUps;
      await pause(20);
      expect(reactor.stats().wakeUps - before).toBeLessThanOrEqual(1); // whatever others do
      await watch.return?.();
    });

    test('ends when it is left, for all who ask', async () => {
      const watch = reactor.watch(openPipe().reading);
      const asking = [watch.next(), watch.next()];
      expect(await watch.return?.()).toEqual({ value: undefined, done: true });
      for (const read of await Promise.all(asking)) expect(read).toEqual({ value: undefined, done: true });
      expect(await watch.next()).toEqual({ value: undefined, done: true });
      expect(reactor.stats().waiting).toBe(0);
    });

    test('answers those who ask at the same time one after another', async () => {
      const { reading, writing } = openPipe();
      const watch = reactor.watch(reading);
      const asking = [1, 2, 3].map((name) => [name, watch.next()] as const);
      send(writing);
      expect(await inOrder(asking)).toEqual([1, 2, 3]);
      await watch.return?.();
    });

    test('fails when the signal is aborted, also while nobody asks', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const { reading, writing } = openPipe();
      const asked = rejection(reactor.watch(reading, 'r', { signal }).next());
      const idle = reactor.watch(writing, 'w', { signal });
      await idle.next();
      controller.abort('enough');
      const late = rejection(reactor.watch(reading, 'r', { signal }).next());
      for (const error of await Promise.all([asked, rejection(idle.next()), late])) {
        expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
      }
      expect(await idle.next()).toEqual({ value: undefined, done: true });
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    });
  });

  describe('that is closed', () => {
    test('rejects all that wait, and all that come', async () => {
      const closing = new offloop.Reactor();
      const { reading } = openPipe();
      const watch = closing.watch(reading);
      const later = closing.watch(reading);
      const waits = [closing.readable(reading), closing.timer(60_000), watch.next()].map(rejection);
      closing.close();
      closing.close();
      const more = [closing.readable(reading), closing.timer(0), later.next()].map(rejection);
      for (const error of await Promise.all([...waits, ...more])) {
        expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_CLOSED' });
      }
      expect(await watch.next()).toEqual({ value: undefined, done: true });
      expect(closing.stats()).toMatchObject({ waiting: 0, delivered: 0 });
    });

    test('may be one of a scope', async () => {
      const { reading } = openPipe();
      let wait: Promise<Error> | undefined;
      {
        await using scoped = new offloop.Reactor();
        wait = rejection(scoped.readable(reading));
      }
      expect(await wait).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    });
  });
});
