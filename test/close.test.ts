import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Pool } from '../lib/index.js';
import { hash, noop, sleep, spin } from '../lib/ops.js';
import { rejection } from './support/gate.js';
import { open } from './support/pools.js';

describe('draining', () => {
  test('ends at once where nothing is in flight', async () => {
    const pool = open();
    await pool.drain();
    await pool.run(noop);
    await pool.drain();
  });

  test('ends after everything accepted until then has settled', async () => {
    const pool = open({ threads: 2 });
    let settled = 0;
    for (let i = 0; i < 100; ++i) pool.run(spin, [0.05]).then(() => ++settled);
    pool.run(sleep, [20]).then(() => ++settled);
    await Promise.all([pool.drain(), pool.drain()]);
    expect(settled).toBe(101);
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0, inFlight: 0, fulfilled: 101 });
  });

  test('ends too when what was left is aborted', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const runs = [spin, spin].map((task) => rejection(pool.run(task, [60_000], { signal: controller.signal })));
    const drained = pool.drain();
    controller.abort();
    await drained;
    for (const error of await Promise.all(runs)) expect(error.code).toBe('ABORT_ERR');
  });

  test('leaves the pool open', async () => {
    const pool = open();
    await Promise.all([pool.run(noop), pool.drain()]);
    expect(await pool.run(hash, ['sha256', ''])).toHaveLength(32);
  });
});

describe('closing', () => {
  test('waits for what was accepted, and rejects what comes after', async () => {
    const pool = open({ threads: 1 });
    const runs = Array.from({ length: 20 }, () => pool.run(spin, [0.2]));
    const closed = pool.close();
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED', task: 'noop' });
    await closed;
    await Promise.all(runs);
    expect(await rejection(pool.run(noop, [], { priority: 'high' }))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(pool.stats()).toMatchObject({ fulfilled: 20, inFlight: 0, threadsStarted: 0 });
  });

  test('can be asked for again and again', async () => {
    const pool = open();
    await pool.run(noop);
    const first = pool.close();
    expect(pool.close()).toBe(first);
    await first;
    expect(pool.close({ cancel: true })).toBe(first);
    await pool.close({ timeoutMs: 1 });
    await pool.drain();
  });

  test('works for a pool that never ran anything', async () => {
    const pool = new Pool();
    await pool.close();
    expect(pool.stats()).toMatchObject({ threadsStarted: 0, fulfilled: 0 });
  });

  test('with cancel ends what is queued, what runs and what sleeps', async () => {
    const pool = open({ threads: 1, capacity: 10 });
    const asleep = pool.run(sleep, [60_000]);
    const running = pool.run(spin, [60_000]);
    const queued = pool.run(noop);
    const errors = Promise.all([asleep, running, queued].map(rejection));
    await pool.close({ cancel: true });
    for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
    expect(pool.stats()).toMatchObject({ cancelled: 3, fulfilled: 0, inFlight: 0 });
  });

  test('can be hurried by a second call with cancel', async () => {
    const pool = open({ threads: 1 });
    const error = rejection(pool.run(spin, [60_000]));
    const closed = pool.close();
    await setImmediate();
    pool.close({ cancel: true });
    await closed;
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  test('with a timeout cancels what is left then, and only that', async () => {
    const pool = open({ threads: 1 });
    const short = pool.run(spin, [1]);
    const errors = Promise.all([pool.run(spin, [60_000]), pool.run(noop)].map(rejection));
    await pool.close({ timeoutMs: 50 });
    await short;
    for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  test('with a timeout of 0 cancels at once', async () => {
    const pool = open({ threads: 1 });
    const error = rejection(pool.run(sleep, [60_000]));
    await pool.close({ timeoutMs: 0 });
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  test('does not touch another pool', async () => {
    const other = open({ threads: 1 });
    const slept = other.run(sleep, [30]);
    const pool = open({ threads: 1 });
    const error = rejection(pool.run(sleep, [60_000]));
    await pool.close({ cancel: true });
    await Promise.all([error, slept, other.run(noop)]);
    expect(other.stats()).toMatchObject({ fulfilled: 2, cancelled: 0 });
  });

  test('happens at the end of a scope with `await using`', async () => {
    let outer: Pool;
    let settled = false;
    {
      await using pool = new Pool({ threads: 1 });
      pool.run(sleep, [20]).then(() => {
        settled = true;
      });
      outer = pool;
    }
    expect(settled).toBe(true);
    expect(await rejection(outer.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
  });
});

describe('a pool opened while another one is closing', () => {
  test.each([0, 1, 2, 3])('starts with counts of its own, %i turns of the microtask queue later', async (turns) => {
    const first = open({ threads: 2 });
    await Promise.all(Array.from({ length: 100 }, () => first.run(noop)));
    const closed = first.close();
    for (let i = 0; i < turns; ++i) await undefined;
    const second = open({ threads: 2 });
    await closed;
    expect(second.stats()).toMatchObject({ inFlight: 0, fulfilled: 0 });
    await second.run(noop);
    await second.drain();
    expect(second.stats()).toMatchObject({ inFlight: 0, fulfilled: 1 });
    expect(first.stats()).toMatchObject({ inFlight: 0, fulfilled: 100 });
  });

  test('is not ended by a late cancel of the first', async () => {
    const first = open({ threads: 1 });
    await first.close();
    const second = open({ threads: 1 });
    const slept = second.run(sleep, [10]);
    await first.close({ cancel: true });
    await slept;
  });
});
