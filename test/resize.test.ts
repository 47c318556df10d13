import { describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import { hash, noop, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { threadNames } from './support/proc.js';
import { randomNumbers } from './support/random.js';

let pools = 0;
const newName = () => `size${++pools}`;
const threadsOf = (pool: Pool) =>
  threadNames()
    .filter((name) => name.startsWith(`${pool.name}/`))
    .toSorted();
const names = (pool: Pool, count: number) => Array.from({ length: count }, (_, i) => `${pool.name}/${i}`);

/** Keeps the loop from turning until then. */
function block(enough: () => boolean): boolean {
  const end = performance.now() + 5000;
  while (performance.now() < end) if (enough()) return true;
  return false;
}

/** Tasks that run until they are told to end. */
class Work {
  readonly #controllers: AbortController[] = [];
  readonly #runs: Promise<unknown>[] = [];

  constructor(pool: Pool, count: number) {
    for (let i = 0; i < count; ++i) {
      const controller = new AbortController();
      this.#controllers.push(controller);
      this.#runs.push(rejection(pool.run(spin, [60_000], { signal: controller.signal })));
    }
  }

  async end(): Promise<void> {
    for (const controller of this.#controllers) controller.abort();
    await Promise.all(this.#runs);
  }
}

/** Both ways: a list of threads of which some are just ending may leave others out. */
const hasThreads = (pool: Pool, count: number) =>
  pool.stats().threadsStarted === count && threadsOf(pool).length === count;

describe('a pool that is given more threads', () => {
  test('starts them at once for the tasks that wait', async () => {
    const pool = open({ name: newName(), threads: 1 });
    const work = new Work(pool, 6);
    await until(() => pool.stats().running === 1, 'one runs');
    pool.resize(4);
    await until(() => pool.stats().running === 4, 'four run');
    expect(pool.stats()).toMatchObject({ threads: 4, threadsStarted: 4, queued: 2 });
    expect(threadsOf(pool)).toEqual(names(pool, 4));
    await work.end();
  });

  test('starts none while there is nothing to do', async () => {
    const pool = open({ name: newName(), threads: 1 });
    pool.resize(3);
    expect(pool.stats()).toMatchObject({ threads: 3, threadsStarted: 0 });
    const held = await hold(pool, 3);
    expect(threadsOf(pool)).toEqual(names(pool, 3));
    await held.release();
  });

  test('hands tasks to them before the caller goes on', async () => {
    const pool = open({ threads: 1 });
    pool.resize(2);
    const runs = [pool.run(spin, [1]), pool.run(spin, [1])];
    expect(block(() => pool.stats().runNs.count === 2)).toBe(true);
    await Promise.all(runs);
  });

  test('has room for as many tasks more', async () => {
    const pool = open({ threads: 1, capacity: 2 });
    const work = new Work(pool, 3);
    pool.resize(3);
    await until(() => pool.stats().running === 3, 'all run');
    const runs = [pool.run(noop), pool.run(noop)];
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    await work.end();
    await Promise.all(runs);
  });
});

describe('a pool that is given fewer threads', () => {
  test.each(['eco', 'balanced', 'low'] as const)("ends those that sleep, where latency is '%s'", async (latency) => {
    const pool = open({ name: newName(), threads: 4, latency });
    const held = await hold(pool, 4);
    await held.release();
    await until(() => pool.stats().threadsParked === 4, 'all sleep');
    pool.resize(1);
    await until(() => hasThreads(pool, 1), 'three have ended');
    expect(pool.stats()).toMatchObject({ threads: 1, threadsStarted: 1 });
    expect(await pool.run(hash, ['md5', ''])).toHaveLength(16);
    await until(() => pool.stats().threadsParked === 1, 'the last one sleeps');
    expect(threadsOf(pool)).toHaveLength(1);
  });

  test('lets those that work finish what they do, and no more', async () => {
    const pool = open({ name: newName(), threads: 3 });
    const work = new Work(pool, 3);
    await until(() => pool.stats().running === 3, 'all run');
    pool.resize(1);
    const rest = new Work(pool, 2);
    expect(pool.stats()).toMatchObject({ threads: 1, threadsStarted: 3, running: 3, queued: 2 });
    await work.end();
    await until(() => hasThreads(pool, 1), 'two have ended');
    await until(() => pool.stats().queued === 1, 'the last one goes on');
    expect(pool.stats()).toMatchObject({ threadsStarted: 1, running: 1, cancelled: 3 });
    await rest.end();
  });

  test('can be given them back, under their names, and has lost no count', async () => {
    const pool = open({ name: newName(), threads: 3 });
    for (let round = 1; round <= 10; ++round) {
      const held = await hold(pool, 3);
      expect(threadsOf(pool)).toEqual(names(pool, 3));
      await held.release();
      pool.resize(1);
      await until(() => hasThreads(pool, 1), 'two have ended');
      pool.resize(3);
      await until(() => pool.stats().runNs.count === 3 * round, 'what ended threads have counted');
    }
    expect(pool.stats()).toMatchObject({ cancelled: 30, queuedNs: { count: 30 }, runNs: { count: 30 } });
  });

  test('loses none of the tasks that sleep, wait or run', async () => {
    const pool = open({ threads: 4, capacity: 10_000 });
    const runs = Array.from({ length: 400 }, (_, i) => pool.run([spin, sleep][i % 2] as typeof spin, [i % 7]));
    pool.resize(1);
    await Promise.all(runs);
    expect(pool.stats()).toMatchObject({ fulfilled: 400, queued: 0, running: 0, threadsStarted: 1 });
  });
});

describe('resizing', () => {
  test('again and again under load loses nothing, and ends at the size that was wanted last', async () => {
    const pool = open({ name: newName(), threads: 2, capacity: 100_000, latency: 'low' });
    const random = randomNumbers(5);
    let right = 0;
    const runs: Promise<unknown>[] = [];
    for (let round = 0; round < 300; ++round) {
      pool.resize(1 + Math.floor(8 * random()));
      for (let i = Math.floor(40 * random()); i >= 0; --i) {
        const run: Promise<unknown> =
          random() < 0.5 ? pool.run(noop) : random() < 0.5 ? pool.run(spin, [0.05]) : pool.run(sleep, [1]);
        runs.push(run.then(() => ++right));
      }
      if (random() < 0.3) pool.resize(1 + Math.floor(8 * random()));
      if (random() < 0.5) await runs[Math.floor(runs.length * random())];
    }
    pool.resize(2);
    await Promise.all(runs);
    expect(right).toBe(runs.length);
    expect(pool.stats()).toMatchObject({ threads: 2, fulfilled: runs.length, queued: 0, running: 0, inFlight: 0 });
    await until(() => threadsOf(pool).length <= 2, 'no more threads than there may be');
    expect(pool.stats().threadsStarted).toBeLessThanOrEqual(2);
    const held = await hold(pool, 2);
    await held.release();
  });

  test.each([
    [0, 'RangeError', 'ERR_OUT_OF_RANGE'],
    [1025, 'RangeError', 'ERR_OUT_OF_RANGE'],
    [1.5, 'RangeError', 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'RangeError', 'ERR_OUT_OF_RANGE'],
    [Infinity, 'RangeError', 'ERR_OUT_OF_RANGE'],
    ['2', 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    [null, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
  ])('to %j threads throws at once, open or closed, and changes nothing', async (threads, name, code) => {
    const pool = open({ threads: 2 });
    const expected = expect.objectContaining({ name, code, message: expect.stringContaining('"threads"') });
    expect(() => pool.resize(threads as never)).toThrow(expected);
    expect(pool.stats()).toMatchObject({ threads: 2, threadsStarted: 0 });
    await pool.close();
    expect(() => pool.resize(threads as never)).toThrow(expected);
  });

  test('a pool that is closing or closed does nothing, to it or to another that has its place', async () => {
    const pool = open({ threads: 1 });
    const run = pool.run(spin, [20]);
    const closed = pool.close();
    pool.resize(4);
    await Promise.all([run, closed]);
    const other = open({ threads: 1 });
    const held = await hold(other);
    pool.resize(4);
    expect(pool.stats()).toMatchObject({ threads: 1, threadsStarted: 0 });
    expect(other.stats()).toMatchObject({ threads: 1, threadsStarted: 1 });
    await held.release();
  });
});
