import { expect, test } from 'vitest';
import { Pool } from '../lib/index.js';
import { noop, readFile, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { threadNames } from './support/proc.js';

const named = (prefix: string) => threadNames().filter((name) => name.startsWith(`${prefix}/`));

test('threads are named after their pool, start when there is work for them, and end with it', async () => {
  const pool = open({ name: 'images', threads: 3 });
  expect(pool.name).toBe('images');
  expect(named('images')).toEqual([]);
  const one = await hold(pool, 1);
  expect(named('images')).toEqual(['images/0']);
  await one.release();
  const all = await hold(pool, 3);
  expect(named('images').toSorted()).toEqual(['images/0', 'images/1', 'images/2']);
  await all.release();
  await until(() => pool.stats().threadsParked === 3, 'all of them sleep');
  expect(pool.stats()).toMatchObject({ threads: 3, threadsStarted: 3 });
  await pool.close();
  await until(() => named('images').length === 0, 'the threads are gone');
});

test('a name that is too long for a thread is cut, and whole elsewhere', async () => {
  const name = 'a-rather-long-name-of-a-pool';
  const pool = open({ name, threads: 1 });
  const held = await hold(pool);
  expect(threadNames()).toContain('a-rather-long/0');
  expect(pool.stats().name).toBe(name);
  await held.release();
});

test('pools without a name are numbered', () => {
  const [first, second] = [open().name, open().name];
  expect(first).toMatch(/^pool-\d+$/);
  expect(second).toBe(`pool-${Number(first.slice(5)) + 1}`);
});

test.each(['eco', 'balanced', 'low'] as const)(
  "a pool whose latency is '%s' works, and sleeps when idle",
  async (latency) => {
    const pool = open({ threads: 2, latency });
    await Promise.all(Array.from({ length: 1000 }, () => pool.run(noop)));
    for (let i = 0; i < 100; ++i) await pool.run(spin, [0.01]);
    await until(() => pool.stats().threadsParked === pool.stats().threadsStarted, 'every thread sleeps');
    expect(pool.stats()).toMatchObject({ fulfilled: 1100, inFlight: 0 });
  },
);

test('threads may have little stack or much of it', async () => {
  const sizes = [64 * 1024, 100_001, 64 * 1024 ** 2];
  await Promise.all(sizes.map((stackSize) => open({ threads: 1, stackSize }).run(noop)));
});

test('a thousand pools work next to each other', async () => {
  const pools = Array.from({ length: 1000 }, () => open({ threads: 1, name: 'many' }));
  await Promise.all(pools.map((pool) => pool.run(noop)));
  expect(named('many')).toHaveLength(1000);
  expect(pools.map((pool) => pool.stats().fulfilled)).toEqual(pools.map(() => 1));
});

test('4,096 pools can be open, the next one throws, and each that closes makes room', async () => {
  const pools: Pool[] = [];
  const fill = () => {
    for (;;) pools.push(new Pool({ threads: 1 }));
  };
  expect(fill).toThrow(expect.objectContaining({ name: 'OffloopError', code: 'ERR_OFFLOOP_SYSTEM' }));
  expect(pools).toHaveLength(4096);
  const [first, last] = [pools.shift() as Pool, pools.at(-1) as Pool];
  await Promise.all([first.run(noop), last.run(noop)]);
  await first.close();
  const next = open({ threads: 1 });
  const slept = next.run(sleep, [10]);
  expect(await rejection(first.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
  await slept;
  expect(next.stats().fulfilled).toBe(1);
  expect(fill).toThrow();
  await Promise.all(pools.map((pool) => pool.close()));
});

test('counts add up to what was submitted', async () => {
  const pool = open({ threads: 2, capacity: 50 });
  const held = await hold(pool, 2);
  const controller = new AbortController();
  const runs = Array.from({ length: 100 }, (_, i) =>
    i % 10 === 0
      ? pool.run(noop, [], { signal: controller.signal })
      : pool.run(readFile, [i % 10 === 1 ? '/missing' : '/proc/version']),
  );
  const ended = Promise.allSettled(runs);
  controller.abort();
  await held.release();
  await Promise.all([ended, pool.drain()]);
  // Five of those that were aborted would have been refused: the first to say so counts.
  const own = { refused: 45, cancelled: 10, rejected: 5, fulfilled: 40, inFlight: 0 };
  expect(pool.stats()).toMatchObject({ ...own, cancelled: own.cancelled + 2 });
});
