import { getEventListeners } from 'node:events';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { AbortError, Future, OffloopError, start } from '../lib/index.js';
import { gzip, hash, noop, readFile, scrypt, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';

describe('pool.start', () => {
  test('runs a task, and returns a Future of what run would return', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(hash, ['sha256', 'abc']);
    expect(future).toBeInstanceOf(Future);
    expectTypeOf(future).toEqualTypeOf<Future<Buffer>>();
    expect(await future).toEqual(await pool.run(hash, ['sha256', 'abc']));
    expect(future.status).toBe('fulfilled');
    expect(await pool.start(noop)).toBeUndefined();
    expect(await pool.start(noop, [], { priority: 'high' })).toBeUndefined();
  });

  test('rejects as run does', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(readFile, ['/no/such/file']);
    const error = await rejection(future.then());
    expect(error).toBeInstanceOf(OffloopError);
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'open', path: '/no/such/file' });
    expect(future.status).toBe('rejected');
  });

  test('rejects what the pool has no room for', async () => {
    const pool = open({ threads: 1, capacity: 1 });
    const held = await hold(pool);
    const queued = pool.start(noop);
    const refused = pool.start(noop);
    expect(await rejection(refused.then())).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    expect([queued.status, refused.status]).toEqual(['queued', 'rejected']);
    await held.release();
    await queued;
  });

  test('throws at once what run throws, and submits nothing', async () => {
    const pool = open({ threads: 1 });
    const mistakes = [
      ['task', undefined],
      ['task', () => {}],
      ['args', hash, 'sha256'],
      ['algorithm', hash, [1, '']],
      ['task', undefined, 'sha256', 7],
      ['args', hash, 'sha256', 7],
      ['options', hash, ['sha256'], 7],
      ['options.signal', hash, ['sha256', ''], { signal: {} }],
      ['options.signal', hash, ['sha256', ''], { signal: null }],
      ['options.priority', hash, ['sha256', ''], { priority: {} }],
      ['options.input', hash, ['sha256', ''], { input: 'steal' }],
    ] as const;
    for (const [name, ...call] of mistakes) {
      const thrown = (method: 'run' | 'start') => {
        try {
          (pool[method] as (...all: unknown[]) => unknown)(...call);
        } catch (error) {
          return error as Error & { code: string };
        }
        throw new Error(`${method} accepts ${name}`);
      };
      expect(thrown('start').message).toContain(`"${name}"`);
      expect(thrown('start')).toMatchObject({ code: thrown('run').code, message: thrown('run').message });
    }
    // @ts-expect-error: an argument is missing
    expect(() => pool.start(hash, ['sha256'])).toThrow(TypeError);
    expect(pool.stats()).toMatchObject({ inFlight: 0, fulfilled: 0, rejected: 0, threadsStarted: 0 });
  });

  test('rejects when the pool is closed', async () => {
    const pool = open({ threads: 1 });
    await pool.close();
    expect(await rejection(pool.start(noop).then())).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
  });

  test('hands its options on', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const order: string[] = [];
    const futures = (['low', 'high', 'normal'] as const).map((priority) =>
      pool.start(noop, [], { priority }).onSuccess(() => order.push(priority)),
    );
    await held.release();
    await Promise.all(futures);
    expect(order).toEqual(['high', 'normal', 'low']);
  });

  test('serves a thousand at a time', async () => {
    const pool = open({ threads: 2 });
    const futures = Array.from({ length: 1000 }, (_, i) => pool.start(hash, ['sha256', `${i}`]));
    const digests = await Future.all(futures);
    expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(1000);
    expect(new Set(futures.map(({ id }) => id)).size).toBe(1000);
  });
});

test('start runs a task on the default pool', async () => {
  const future = start(hash, ['sha256', 'abc']);
  expectTypeOf(future).toEqualTypeOf<Future<Buffer>>();
  expect(await future).toEqual(await hash('sha256', 'abc'));
  expect(await start(noop)).toBeUndefined();
});

describe('cancelling what was started', () => {
  test('takes a queued task out of the pool, while its thread is busy', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const future = pool.start(gzip, [Buffer.alloc(100)]);
    expect(pool.stats().queued).toBe(1);
    expect(future.cancel('not needed')).toBe(true);
    expect(pool.stats().queued).toBe(0);
    expect(await rejection(future.then())).toMatchObject({
      code: 'ERR_OFFLOOP_CANCELLED',
      task: 'gzip',
      cause: 'not needed',
    });
    await held.release();
  });

  test('ends a task that runs', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(spin, [60_000]);
    await until(() => pool.stats().running === 1, 'it spins');
    expect(future.cancel()).toBe(true);
    expect(await rejection(future.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
    await pool.run(noop); // the thread is free
    expect(pool.stats()).toMatchObject({ cancelled: 1, fulfilled: 1 });
  });

  test('does not wait for a task that cannot be stopped', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(scrypt, ['a', 'b', 32, { N: 2 ** 15, maxmem: 2 ** 30 }]);
    await until(() => pool.stats().running === 1, 'it derives');
    future.cancel();
    await rejection(future.then());
    expect(pool.stats()).toMatchObject({ running: 1, inFlight: 1 });
  });

  test('takes out a task that waits for room', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const futures = Array.from({ length: 5 }, () => pool.start(noop));
    expect(pool.stats().waiting).toBe(4);
    const errors = futures.slice(1).map((future) => {
      future.cancel();
      return rejection(future.then());
    });
    expect(pool.stats().waiting).toBe(0);
    for (const error of await Promise.all(errors)) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
    await held.release();
    await futures[0];
  });

  test('after the task is done is false', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(noop);
    await future;
    expect(future.cancel()).toBe(false);
    expect(future.status).toBe('fulfilled');
  });

  test('happens when the pool is closed with cancel', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(sleep, [60_000]);
    const error = rejection(future.then());
    await pool.close({ cancel: true });
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
    expect(future.status).toBe('cancelled');
    expect(future.cancel()).toBe(false);
  });
});

describe('the signal of what was started', () => {
  test('rejects with an AbortError whose cause is the reason', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const future = pool.start(sleep, [60_000], { signal: controller.signal });
    controller.abort('enough');
    const error = await rejection(future.then());
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    expect(future.status).toBe('cancelled');
  });

  test('may be aborted already', async () => {
    const pool = open({ threads: 1 });
    const future = pool.start(noop, [], { signal: AbortSignal.abort('before') });
    expect(await rejection(future.then())).toMatchObject({ code: 'ABORT_ERR', cause: 'before' });
    expect(pool.stats()).toMatchObject({ fulfilled: 0, cancelled: 0 });
  });

  test('changes nothing after a cancel', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const future = pool.start(sleep, [60_000], { signal: controller.signal });
    future.cancel('first');
    controller.abort('second');
    expect(await rejection(future.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED', cause: 'first' });
  });

  test('has no listener left when the task has settled', async () => {
    const pool = open({ threads: 1 });
    const { signal } = new AbortController();
    await pool.start(noop, [], { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
