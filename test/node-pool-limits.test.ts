import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { NodePoolOptions, Pool, RunOptions } from '../lib/index.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';

const THREADS = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

describe.each(doorbells)("on a share in Node's pool, with the doorbell '%s'", (doorbell) => {
  let offloop: Offloop;
  beforeAll(async () => {
    offloop = await loadOffloop(doorbell);
  });

  const opened: Pool[] = [];
  function open(options?: NodePoolOptions): Pool {
    const pool = offloop.Pool.node(options);
    opened.push(pool);
    return pool;
  }
  /** Occupies Node's threads, by another share. */
  const holdNode = () => hold(open(), THREADS, offloop.spin);
  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(opened.splice(0).map((pool) => pool.close({ cancel: true })));
  });

  describe('a deadline', () => {
    test('rejects on time, while Node is still busy, and the task never runs', async () => {
      const pool = open();
      const held = await holdNode();
      const late = [1, 20, 5].map((deadlineMs) => rejection(pool.run(offloop.noop, [], { deadlineMs })));
      const inTime = pool.run(offloop.noop, [], { deadlineMs: 60_000 });
      expect(pool.stats().queued).toBe(4);
      for (const error of await Promise.all(late)) {
        expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DEADLINE', task: 'noop' });
      }
      expect(pool.stats()).toMatchObject({ running: 0, queued: 1, expired: 3 });
      await held.release();
      await inTime;
      expect(pool.stats().runNs.count).toBe(1);
    });

    test('of no time is never met', async () => {
      const pool = open();
      const error = await rejection(pool.run(offloop.noop, [], { deadlineMs: 0 }));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DEADLINE' });
      expect(pool.stats()).toMatchObject({ expired: 1, fulfilled: 0 });
      expect(pool.stats().runNs.count).toBe(0);
    });

    test('that has been met does not end the task', async () => {
      const pool = open();
      const run = pool.run(offloop.spin, [1200], { deadlineMs: 1000 });
      await until(() => pool.stats().running === 1, 'it has begun');
      await run;
      expect(pool.stats()).toMatchObject({ fulfilled: 1, expired: 0 });
    });

    test('may be further away than a timer can be', async () => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      const pool = open();
      const held = await holdNode();
      const run = pool.run(offloop.noop, [], { deadlineMs: 2 ** 40 });
      await pause(20);
      expect(pool.stats().queued).toBe(1);
      await held.release();
      await run;
      process.off('warning', note);
      expect(warnings).toEqual([]);
    });

    test('makes room where the pool is full', async () => {
      const pool = open({ capacity: 1 });
      const held = await holdNode();
      expect(await rejection(pool.run(offloop.noop, [], { deadlineMs: 1 }))).toMatchObject({
        code: 'ERR_OFFLOOP_DEADLINE',
      });
      const next = pool.run(offloop.noop);
      await held.release();
      await next;
      expect(pool.stats().refused).toBe(0);
    });
  });

  describe('a timeout', () => {
    test('rejects, and stops the task', async () => {
      const pool = open();
      const began = performance.now();
      const error = await rejection(pool.run(offloop.spin, [60_000], { timeoutMs: 20 }));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT', task: 'spin' });
      expect(performance.now() - began).toBeGreaterThanOrEqual(20);
      await pool.drain(); // when it has stopped
      expect(pool.stats()).toMatchObject({ timedOut: 1, rejected: 1, inFlight: 0 });
    });

    test('rejects at once a task that cannot be stopped, which keeps its thread', async () => {
      const pool = open();
      const args = ['a', 'b', 32, { N: 2 ** 17, maxmem: 2 ** 28 }] as const;
      const error = await rejection(pool.run(offloop.scrypt, [...args], { timeoutMs: 5 }));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
      expect(pool.stats()).toMatchObject({ running: 1, inFlight: 1, timedOut: 1 });
    });

    test('does not count the time in the queue', async () => {
      const pool = open();
      const held = await holdNode();
      const run = pool.run(offloop.noop, [], { timeoutMs: 300 });
      const cut = rejection(pool.run(offloop.spin, [60_000], { timeoutMs: 300 }));
      await pause(400);
      expect(pool.stats()).toMatchObject({ queued: 2, timedOut: 0 });
      await held.release();
      await run;
      expect(await cut).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    });

    test('counts the time asleep', async () => {
      const pool = open();
      const error = await rejection(pool.run(offloop.sleep, [60_000], { timeoutMs: 20 }));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    });

    test('of each task is its own, however many run', async () => {
      const pool = open();
      const limits = [120, 30, 90, 60, 5000];
      const ends = limits.map((timeoutMs) => [timeoutMs, pool.run(offloop.spin, [200], { timeoutMs })] as const);
      const results = await Promise.allSettled(ends.map(([, run]) => run));
      expect(results.map(({ status }) => status)).toEqual([...Array(4).fill('rejected'), 'fulfilled']);
      expect(pool.stats()).toMatchObject({ timedOut: 4, fulfilled: 1 });
    });
  });

  describe('a budget', () => {
    test('rejects, and stops the task', async () => {
      const pool = open();
      const error = await rejection(pool.run(offloop.spin, [60_000], { cpuBudgetMs: 20 }));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_BUDGET', task: 'spin' });
      await until(() => pool.stats().running === 0, 'it has stopped');
      expect(pool.stats()).toMatchObject({ overBudget: 1, timedOut: 0 });
      expect(pool.stats().cpuNs.max).toBeGreaterThanOrEqual(20e6 * (15 / 16));
    });

    test('may be the pool’s', async () => {
      const pool = open({ cpuBudgetMs: 20 });
      expect(await rejection(pool.run(offloop.spin, [60_000]))).toMatchObject({ code: 'ERR_OFFLOOP_BUDGET' });
      await pool.run(offloop.spin, [60], { cpuBudgetMs: 10_000 });
    });

    test('is not used up by sleeping', async () => {
      await open().run(offloop.sleep, [60], { cpuBudgetMs: 30 });
    });
  });

  describe('tasks that sleep', () => {
    test('hold no thread, and wake up in time', async () => {
      const pool = open();
      const began = performance.now();
      const naps = Array.from({ length: 100 }, (_, i) => pool.run(offloop.sleep, [60 + (i % 5)]));
      await until(() => pool.stats().runNs.count === 100, 'all sleep');
      expect(pool.stats()).toMatchObject({ running: 0, queued: 0 });
      await Promise.all(naps);
      expect(performance.now() - began).toBeGreaterThanOrEqual(60);
      expect(pool.stats()).toMatchObject({ fulfilled: 100, inFlight: 0 });
    });

    test('wake up in the order of their times, whatever that of their runs', async () => {
      const pool = open();
      const times = [400, 0, 200, 600];
      expect(await inOrder(times.map((ms) => [ms, pool.run(offloop.sleep, [ms])]))).toEqual([0, 200, 400, 600]);
    });

    test('can be aborted', async () => {
      const pool = open();
      const { signal, abort } = stoppable();
      const errors = Array.from({ length: 50 }, () => rejection(pool.run(offloop.sleep, [60_000], { signal })));
      await until(() => pool.stats().runNs.count === 50, 'all sleep');
      abort('enough');
      for (const error of await Promise.all(errors))
        expect(error).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
      await pool.drain();
      expect(pool.stats()).toMatchObject({ cancelled: 50, inFlight: 0 });
    });

    test('can be aborted before they sleep', async () => {
      const pool = open();
      const { signal, abort } = stoppable();
      const error = rejection(pool.run(offloop.sleep, [60_000], { signal }));
      const end = performance.now() + 10_000;
      while (pool.stats().runNs.count === 0 && performance.now() < end); // the loop has not turned since
      abort('enough');
      expect(await error).toMatchObject({ code: 'ABORT_ERR' });
      await pool.drain();
      expect(pool.stats()).toMatchObject({ cancelled: 1, inFlight: 0 });
    });

    test('do so while a test replaces the timers', async () => {
      vi.useFakeTimers();
      const pool = open();
      await pool.run(offloop.sleep, [20]);
      expect(await rejection(pool.run(offloop.spin, [60_000], { timeoutMs: 10 }))).toMatchObject({
        code: 'ERR_OFFLOOP_TIMEOUT',
      });
    });
  });

  test('tasks with limits of every kind all settle, and the counts say how', async () => {
    const pool = open({ capacity: 500, overflow: 'drop-oldest' });
    const codes = new Map<string, number>();
    const note = (code: string) => void codes.set(code, (codes.get(code) ?? 0) + 1);
    const runs: Promise<void>[] = [];
    const signals: AbortController[] = [];
    for (let i = 0; i < 3000; ++i) {
      const options: RunOptions = {};
      if (i % 3 === 0) options.deadlineMs = i % 7;
      if (i % 4 === 0) options.timeoutMs = 1 + (i % 5);
      if (i % 5 === 0) options.cpuBudgetMs = 1 + (i % 11);
      if (i % 6 === 0) {
        const controller = new AbortController();
        signals.push(controller);
        options.signal = controller.signal;
      }
      const run =
        i % 2 === 0
          ? pool.run(offloop.spin, [i % 9 === 0 ? 20 : 0.02], options)
          : pool.run(offloop.sleep, [i % 8], options);
      runs.push(
        run.then(
          () => note('fulfilled'),
          ({ code }) => note(code),
        ),
      );
      if (i % 50 === 0) await pause(1);
      if (i % 10 === 0) signals.shift()?.abort();
    }
    await Promise.all(runs);
    await pool.drain();
    const { fulfilled, cancelled, timedOut, overBudget, dropped, expired, inFlight, queued, running } = pool.stats();
    const count = (code: string) => codes.get(code) ?? 0;
    expect({ fulfilled, cancelled, timedOut, overBudget, dropped, expired }).toEqual({
      fulfilled: count('fulfilled'),
      cancelled: count('ABORT_ERR'),
      timedOut: count('ERR_OFFLOOP_TIMEOUT'),
      overBudget: count('ERR_OFFLOOP_BUDGET'),
      dropped: count('ERR_OFFLOOP_DROPPED'),
      expired: count('ERR_OFFLOOP_DEADLINE'),
    });
    expect(fulfilled + cancelled + timedOut + overBudget + dropped + expired).toBe(3000);
    expect(Math.min(fulfilled, cancelled, timedOut, expired)).toBeGreaterThan(0);
    expect({ inFlight, queued, running }).toEqual({ inFlight: 0, queued: 0, running: 0 });
  });
});

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
}
