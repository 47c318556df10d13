import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { AbortError } from '../lib/index.js';
import { hash, noop, scrypt, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('a signal that is aborted already', () => {
  test('rejects the run, and the task never starts', async () => {
    const pool = open({ threads: 1 });
    const error = await rejection(pool.run(noop, [], { signal: AbortSignal.abort('not today') }));
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'not today' });
    expect(pool.stats()).toMatchObject({ threadsStarted: 0, inFlight: 0, cancelled: 0, fulfilled: 0 });
  });

  test('does so too when an argument aborts it', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const args = ['sha256', 'abc'] as [string, string];
    Object.defineProperty(args, 0, {
      get() {
        controller.abort('meanwhile');
        return 'sha256';
      },
    });
    const held = await hold(pool);
    const error = rejection(pool.run(hash, args, { signal: controller.signal }));
    await held.release();
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: 'meanwhile' });
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe('aborting a task that is queued', () => {
  test('takes it out at once, while the thread is still busy, and its place is free', async () => {
    const pool = open({ threads: 1, capacity: 2 });
    const held = await hold(pool);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = [pool.run(noop, [], { signal }), pool.run(hash, ['sha256', ''], { signal })].map(rejection);
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    for (const error of await Promise.all(aborted)) {
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect(error.cause).toBe(reason);
    }
    expect(pool.stats()).toMatchObject({ running: 1, queued: 0, inFlight: 1, cancelled: 2 });
    const [first, second] = [pool.run(noop), pool.run(noop)];
    expect(pool.stats()).toMatchObject({ queued: 2, refused: 1 });
    await held.release();
    await Promise.all([first, second]);
  });

  test('leaves its neighbours in order', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controllers = Array.from({ length: 1000 }, () => new AbortController());
    const order: number[] = [];
    const runs = controllers.map(({ signal }, i) => pool.run(noop, [], { signal }).then(() => order.push(i)));
    const settled = Promise.allSettled(runs);
    const odd = controllers.filter((_, i) => i % 2 === 1);
    for (const controller of odd.toReversed()) controller.abort();
    expect(pool.stats().queued).toBe(500);
    await held.release();
    await settled;
    expect(order).toEqual(controllers.flatMap((_, i) => (i % 2 === 0 ? [i] : [])));
  });

  test('works before the task has left JavaScript', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const runs = [
      pool.run(spin, [60_000], { signal: controller.signal }),
      pool.run(noop, [], { signal: controller.signal }),
    ];
    controller.abort();
    for (const error of await Promise.all(runs.map(rejection))) expect(error.code).toBe('ABORT_ERR');
  });
});

describe('aborting a task that runs', () => {
  test('ends a spin early and frees its thread', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const error = rejection(pool.run(spin, [60_000], { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it spins');
    controller.abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ cancelled: 1, fulfilled: 1 });
  });

  test('ends a hash of much data early', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const error = rejection(pool.run(hash, ['sha512', Buffer.alloc(256 << 20)], { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it hashes');
    controller.abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('ends a sleep, which holds no thread', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const errors = Array.from({ length: 100 }, (_, i) => rejection(pool.run(sleep, [60_000 + (i % 7)], { signal })));
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ running: 0, inFlight: 100 });
    controller.abort();
    for (const error of await Promise.all(errors)) expect(error.code).toBe('ABORT_ERR');
  });

  test('rejects where the task cannot be stopped, too', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = pool.run(scrypt, ['a', 'b', 32, { N: 2 ** 14 }], { signal: controller.signal });
    await until(() => pool.stats().running === 1, 'it derives');
    controller.abort();
    expect(await rejection(run)).toMatchObject({ code: 'ABORT_ERR' });
  });
});

describe('a signal', () => {
  test('that is aborted after the task has settled changes nothing', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    await pool.run(noop, [], { signal: controller.signal });
    const held = await hold(pool);
    const next = pool.run(noop); // in the slot that the first task had
    controller.abort();
    await held.release();
    await next;
    expect(pool.stats()).toMatchObject({ fulfilled: 2, cancelled: 1 });
  });

  test('has one listener however many tasks share it, and none when they have settled', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const pool = open({ threads: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const runs = Array.from({ length: 10_000 }, () => pool.run(noop, [], { signal }));
    expect(listeners(signal)).toBe(1);
    await Promise.all(runs);
    expect(listeners(signal)).toBe(0);
    const held = await hold(pool, 2);
    const more = Array.from({ length: 10_000 }, () => pool.run(noop, [], { signal }));
    const errors = Promise.all(more.map(rejection));
    expect(listeners(signal)).toBe(1);
    controller.abort('all of them');
    for (const { cause } of await errors) expect(cause).toBe('all of them');
    await held.release();
    process.off('warning', note);
    expect(listeners(signal)).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('may be a timeout, whose reason becomes the cause', async () => {
    const error = await rejection(open().run(sleep, [60_000], { signal: AbortSignal.timeout(10) }));
    expect(error).toMatchObject({ code: 'ABORT_ERR' });
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
  });

  test('may be made of others', async () => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
    const error = rejection(open().run(sleep, [60_000], { signal }));
    controller.abort('one of them');
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: 'one of them' });
  });

  test('does not touch tasks that have another one, or none', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const [mine, other] = [new AbortController(), new AbortController()];
    const error = rejection(pool.run(noop, [], { signal: mine.signal }));
    const others = [pool.run(noop, [], { signal: other.signal }), pool.run(noop)];
    mine.abort();
    await held.release();
    expect((await error).code).toBe('ABORT_ERR');
    expect(await Promise.all(others)).toEqual([undefined, undefined]);
  });
});
