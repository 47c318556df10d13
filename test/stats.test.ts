import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Durations, Pool, PoolStats } from '../lib/index.js';
import { hash, noop, readFile, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';

const MS = 1e6;
const NOTHING: Durations = { count: 0, min: 0, max: 0, mean: 0, p50: 0, p75: 0, p90: 0, p99: 0, p999: 0 };

/** What has been counted when so many turns have ended: threads count them a moment after they sent the tasks home. */
async function counted(pool: Pool, turns: number): Promise<PoolStats> {
  await until(
    () => pool.stats().runNs.count === turns && pool.stats().queuedNs.count === turns,
    'all turns are counted',
  );
  return pool.stats();
}

function expectOrder({ min, mean, p50, p75, p90, p99, p999, max }: Durations): void {
  const inOrder = [min, p50, p75, p90, p99, p999, max];
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
  expect(mean).toBeGreaterThanOrEqual(min);
  expect(mean).toBeLessThanOrEqual(max);
}

describe('stats', () => {
  test('of a new pool are these, and nothing has started', () => {
    expect(open({ name: 'fresh', threads: 3, capacity: 70 }).stats()).toEqual({
      name: 'fresh',
      threads: 3,
      threadsStarted: 0,
      threadsParked: 0,
      capacity: 70,
      queued: 0,
      lanes: [0, 0, 0, 0, 0, 0, 0, 0],
      running: 0,
      waiting: 0,
      inFlight: 0,
      fulfilled: 0,
      rejected: 0,
      timedOut: 0,
      overBudget: 0,
      cancelled: 0,
      dropped: 0,
      expired: 0,
      refused: 0,
      queuedNs: NOTHING,
      runNs: NOTHING,
      cpuNs: NOTHING,
    });
  });

  test('tell where tasks are: waiting in their lanes, running, asleep, and on their way back', async () => {
    const pool = open({ threads: 2, capacity: 5, overflow: 'wait' });
    const controller = new AbortController();
    const asleep = rejection(pool.run(sleep, [60_000], { signal: controller.signal }));
    await pool.run(noop); // behind it: it sleeps now
    const held = await hold(pool, 2);
    const priorities = [0, 31, 32, 100, 128, 255, 255, 224];
    const runs = priorities.map((priority, i) =>
      pool.run(noop, [], i % 2 ? { priority } : { priority, deadlineMs: 20_000 }),
    );
    const lanes = [2, 1, 0, 1, 1, 0, 0, 3];
    expect(pool.stats()).toMatchObject({ running: 2, queued: 5, waiting: 3, lanes, inFlight: 11, threadsStarted: 2 });
    controller.abort();
    await asleep;
    await until(() => pool.stats().inFlight === 10, 'it is home');
    await held.release();
    await Promise.all([...runs, pool.drain()]);
    await until(() => pool.stats().threadsParked === 2, 'the threads sleep');
    const idle = { running: 0, queued: 0, waiting: 0, inFlight: 0, lanes: Array(8).fill(0), threadsStarted: 2 };
    expect(pool.stats()).toMatchObject({ ...idle, fulfilled: 9, cancelled: 3 });
  });

  test('count each end once', async () => {
    const pool = open({ threads: 1, capacity: 3 });
    const held = await hold(pool);
    const controller = new AbortController();
    const runs = [
      rejection(pool.run(noop, [], { signal: controller.signal })),
      rejection(pool.run(noop, [], { deadlineMs: 1 })),
      rejection(pool.run(readFile, ['/no/such/file'])),
      rejection(pool.run(noop)),
    ];
    controller.abort();
    await Promise.all([runs[0], runs[1], runs[3]]);
    const more = [rejection(pool.run(spin, [60_000], { timeoutMs: 1 })), pool.run(hash, ['md5', ''])];
    await held.release();
    await Promise.all([...runs, ...more]);
    await rejection(pool.run(spin, [60_000], { cpuBudgetMs: 1 }));
    await pool.drain();
    expect(pool.stats()).toMatchObject({
      fulfilled: 1,
      rejected: 3,
      timedOut: 1,
      overBudget: 1,
      cancelled: 2,
      dropped: 0,
      expired: 1,
      refused: 1,
      inFlight: 0,
    });
  });

  test('are a snapshot, and everybody has their own', () => {
    const pool = open({ threads: 1 });
    const before = pool.stats();
    const copy = structuredClone(before);
    const held = pool.run(spin, [5]);
    const after = pool.stats();
    expect(before).toEqual(copy);
    expect(after).not.toBe(before);
    expect(after.inFlight).toBe(1);
    return held;
  });
});

describe('durations', () => {
  test('of tasks of known length are what they took', async () => {
    const pool = open({ threads: 1 });
    const began = performance.now();
    for (let i = 0; i < 30; ++i) await pool.run(spin, [5]);
    const elapsed = (performance.now() - began) * MS;
    const { queuedNs, runNs, cpuNs } = await counted(pool, 30);
    for (const durations of [queuedNs, runNs, cpuNs]) expectOrder(durations);
    expect(runNs.min).toBeGreaterThanOrEqual(5 * MS);
    // Together they took no longer than there was: and each of the others took 5 ms at least.
    expect(30 * (runNs.mean + queuedNs.mean)).toBeLessThan(elapsed + 10 * MS);
    expect(runNs.max).toBeLessThan(elapsed - 29 * 5 * MS);
    // Known to one sixteenth.
    expect(runNs.p50).toBeLessThanOrEqual(runNs.max);
    expect(runNs.p50).toBeGreaterThanOrEqual(5 * MS);
    // A thread uses no more processor time than time; the clocks differ by a little, and that of Windows counts whole ticks.
    const difference = process.platform === 'win32' ? 16 * MS : MS;
    expect(cpuNs.count).toBe(30);
    expect(cpuNs.max).toBeLessThan(runNs.max * 1.05 + difference);
    expect(cpuNs.mean).toBeLessThan(runNs.mean * 1.05 + MS);
    expect(cpuNs.mean).toBeGreaterThan(0.05 * MS);
  });

  test('have percentiles that tell a few long ones from the rest', async () => {
    const pool = open({ threads: 1 });
    const lengths = Array.from({ length: 100 }, (_, i) => (i % 10 === 5 ? 40 : 1));
    await Promise.all(lengths.map((ms) => pool.run(spin, [ms])));
    const { runNs } = await counted(pool, 100);
    expectOrder(runNs);
    expect(runNs.min).toBeGreaterThanOrEqual(1 * MS);
    expect(runNs.min).toBeLessThan(10 * MS);
    expect(runNs.p50).toBeLessThan(40 * MS);
    expect(runNs.p99).toBeGreaterThanOrEqual(40 * MS);
    expect(runNs.p999).toBe(runNs.max);
    expect(runNs.mean).toBeGreaterThan(4.9 * MS);
  });

  test('of waiting are from the call until a thread takes the task', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const submitted = performance.now();
    const runs = Array.from({ length: 99 }, () => pool.run(noop));
    pool.stats();
    await pause(100);
    await held.release();
    await Promise.all(runs);
    const elapsed = (performance.now() - submitted) * MS;
    const { queuedNs, runNs } = await counted(pool, 100);
    expectOrder(queuedNs);
    for (const waited of [queuedNs.p50, queuedNs.p99, queuedNs.max]) {
      expect(waited).toBeGreaterThan(99 * MS);
      expect(waited).toBeLessThan(elapsed);
    }
    expect(runNs.p50).toBeLessThan(50 * MS);
    expect(runNs.max).toBeGreaterThan(99 * MS); // the one that held the thread
  });

  test('of processor time leave out what a task waits for', async () => {
    const pool = open({ threads: 2 });
    await pool.run(sleep, [80]);
    const { runNs, cpuNs } = await counted(pool, 1);
    expect(runNs.max).toBeLessThan(80 * MS); // asleep, it is on no thread
    expect(cpuNs.max).toBeLessThan(80 * MS);
  });

  test('of tasks that never began are not counted', async () => {
    const pool = open({ threads: 1, capacity: 1 });
    const held = await hold(pool);
    const controller = new AbortController();
    const runs = [pool.run(noop, [], { signal: controller.signal }), pool.run(noop)].map(rejection);
    pool.stats();
    controller.abort();
    runs.push(rejection(pool.run(noop, [], { deadlineMs: 5 })));
    await Promise.all(runs);
    await held.release();
    await pool.run(noop);
    const { runNs, queuedNs } = await counted(pool, 2);
    expect([runNs.count, queuedNs.count]).toEqual([2, 2]);
  });

  test('are counted of a hundred thousand short tasks', async () => {
    const pool = open({ threads: 2, capacity: 100_000 });
    await Promise.all(Array.from({ length: 100_000 }, () => pool.run(noop)));
    const { runNs, queuedNs, cpuNs, fulfilled } = await counted(pool, 100_000);
    for (const durations of [runNs, queuedNs, cpuNs]) expectOrder(durations);
    expect(fulfilled).toBe(100_000);
    expect(cpuNs.count).toBe(100_000);
    expect(runNs.p50).toBeLessThan(1 * MS);
  });
});

describe('after it has closed, a pool', () => {
  test('tells what it told last, whatever another pool in its place does', async () => {
    const pool = open({ name: 'former', threads: 2, capacity: 9 });
    await Promise.all([pool.run(noop), pool.run(spin, [2]), rejection(pool.run(readFile, ['/no/such/file']))]);
    const before = await counted(pool, 3);
    await pool.close();
    const last = pool.stats();
    expect(last).toEqual({ ...before, threadsStarted: 0, threadsParked: 0 });
    const next = open({ name: 'next', threads: 1 });
    const held = await hold(next);
    await rejection(pool.run(noop));
    pool.resize(5);
    expect(pool.stats()).toEqual(last);
    await held.release();
    expect(pool.stats()).toEqual(last);
  });

  test('does not let anybody change what it tells', async () => {
    const pool = open({ threads: 1 });
    await pool.run(noop);
    await pool.close();
    const stats = pool.stats();
    Object.assign(stats, { fulfilled: 99 });
    Object.assign(stats.lanes, { 0: 99 });
    expect(pool.stats()).toMatchObject({ fulfilled: 1, lanes: Array(8).fill(0) });
  });

  test('tells the last counts while it is closing, and has nothing running in the end', async () => {
    const pool = open({ threads: 1 });
    const runs = [pool.run(spin, [20]), pool.run(noop)];
    const closed = pool.close();
    expect(pool.stats()).toMatchObject({ inFlight: 2, fulfilled: 0 });
    await closed;
    await Promise.all(runs);
    expect(pool.stats()).toMatchObject({ inFlight: 0, running: 0, queued: 0, fulfilled: 2, threadsStarted: 0 });
  });
});
