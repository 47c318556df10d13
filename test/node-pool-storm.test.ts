import { describe, expect, test } from 'vitest';
import { loadOffloop } from './support/offloop.js';
import { storm } from './support/storm.js';

describe.each([
  ['loop', 20_000, 4],
  ['threadsafe', 20_000, 5],
] as const)("on shares in Node's pool, with the doorbell '%s', of %i tasks (seed %i)", (doorbell, tasks, seed) => {
  test('each settles exactly once, and the counts of the pools say the same', async () => {
    const offloop = await loadOffloop(doorbell);
    const pools = [
      offloop.Pool.node({ capacity: 50 }),
      offloop.Pool.node({ capacity: 100_000 }),
      offloop.Pool.node({ capacity: 100, overflow: 'wait' }),
      new offloop.Pool({ threads: 1, capacity: 100_000 }),
    ];
    const { ends, mistakes } = await storm(offloop, pools, tasks, seed);
    await Promise.all(pools.map((pool) => pool.drain())); // what was aborted may still be out
    const stats = pools.map((pool) => pool.stats());
    const sum = (key: keyof (typeof stats)[number]) => stats.reduce((total, counts) => total + Number(counts[key]), 0);
    expect(mistakes).toBe(0);
    expect(ends).toEqual({
      fulfilled: sum('fulfilled'),
      failed: sum('rejected'),
      refused: sum('refused'),
      aborted: tasks - sum('fulfilled') - sum('rejected') - sum('refused'),
      wrong: 0,
    });
    expect(Math.min(ends.fulfilled, ends.failed, ends.aborted, ends.refused)).toBeGreaterThan(0);
    expect(sum('inFlight') + sum('queued') + sum('running') + sum('waiting')).toBe(0);
    await Promise.all(pools.map((pool) => pool.close()));
  });
});
