import { describe, expect, test } from 'vitest';
import type { PoolOptions, PoolStats, RunOptions } from '../lib/index.js';
import { noop, pbkdf2, sleep, spin, unlink } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { randomNumbers } from './support/random.js';

const LONG = 60_000;
const unstoppable = ['password', 'salt', 2_000_000, 64, 'sha512'] as [string, string, number, number, string];

const COUNTS = ['fulfilled', 'rejected', 'cancelled', 'dropped', 'expired', 'refused'] as const;
const settledIn = (stats: PoolStats) => COUNTS.reduce((sum, count) => sum + stats[count], 0);

describe('of several limits the first one decides', () => {
  test.each([
    ['the timeout', { timeoutMs: 20, cpuBudgetMs: LONG, deadlineMs: LONG }, 'TIMEOUT', { timedOut: 1 }],
    ['the budget', { timeoutMs: LONG, cpuBudgetMs: 20, deadlineMs: LONG }, 'BUDGET', { overBudget: 1 }],
    ['the deadline', { timeoutMs: 20, cpuBudgetMs: 20, deadlineMs: 0 }, 'DEADLINE', { expired: 1 }],
  ] as const)('%s', async (_which, limits, code, count) => {
    const pool = open({ threads: 1 });
    const { signal } = new AbortController();
    const error = await rejection(pool.run(spin, [LONG], { ...limits, signal }));
    expect(error.code).toBe(`ERR_OFFLOOP_${code}`);
    await pool.run(noop);
    const none = { timedOut: 0, overBudget: 0, expired: 0, cancelled: 0, fulfilled: 1 };
    expect(pool.stats()).toMatchObject({ ...none, ...count });
    expect(settledIn(pool.stats())).toBe(2);
  });

  test('a signal before the rest, of a task that waits', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controller = new AbortController();
    const { signal } = controller;
    const error = rejection(pool.run(spin, [LONG], { signal, deadlineMs: 30, timeoutMs: 0, cpuBudgetMs: 0 }));
    controller.abort('first');
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: 'first' });
    await rejection(pool.run(noop, [], { deadlineMs: 40 })); // when the other would have expired, too
    expect(pool.stats()).toMatchObject({ cancelled: 1, expired: 1, queued: 0 });
    await held.release();
  });

  test('a signal before the rest, of a task that cannot be stopped', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const run = pool.run(pbkdf2, unstoppable, { signal, timeoutMs: 500, cpuBudgetMs: 500 });
    await until(() => pool.stats().running === 1, 'it runs');
    controller.abort('first');
    expect(await rejection(run)).toMatchObject({ code: 'ABORT_ERR', cause: 'first' });
    await pool.drain();
    expect(pool.stats()).toMatchObject({ cancelled: 1, timedOut: 0, overBudget: 0, rejected: 0, fulfilled: 0 });
  });

  test.each([
    ['a deadline', { deadlineMs: 0 }, { expired: 1 }],
    ['a timeout', { timeoutMs: 5 }, { timedOut: 1, rejected: 1 }],
    ['a budget', { cpuBudgetMs: 5 }, { overBudget: 1, rejected: 1 }],
  ] as const)('%s before a signal', async (_which, limits, count) => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = pool.run(pbkdf2, unstoppable, { ...limits, signal: controller.signal });
    const error = await rejection(run);
    expect(error.code).toMatch(/^ERR_OFFLOOP_(DEADLINE|TIMEOUT|BUDGET)$/);
    controller.abort('too late');
    await pool.drain();
    expect(await rejection(run)).toBe(error);
    expect(pool.stats()).toMatchObject({ cancelled: 0, fulfilled: 0, ...count });
  });

  test('closing with cancel ends all that have limits, too', async () => {
    const pool = open({ threads: 1 });
    const limits = { deadlineMs: LONG, timeoutMs: LONG, cpuBudgetMs: LONG };
    const runs = [spin, sleep, spin, sleep].map((task) => rejection(pool.run(task, [LONG], limits)));
    await pool.close({ cancel: true });
    for (const error of await Promise.all(runs)) expect(error.code).toBe('ERR_OFFLOOP_CANCELLED');
    expect(pool.stats()).toMatchObject({ cancelled: 4, expired: 0, timedOut: 0, overBudget: 0 });
  });
});

/** By code, the count of a pool that it belongs to. */
const COUNT_OF: Record<string, (typeof COUNTS)[number]> = {
  ABORT_ERR: 'cancelled',
  ERR_OFFLOOP_DEADLINE: 'expired',
  ERR_OFFLOOP_TIMEOUT: 'rejected',
  ERR_OFFLOOP_BUDGET: 'rejected',
  ERR_OFFLOOP_SYSTEM: 'rejected',
  ERR_OFFLOOP_DROPPED: 'dropped',
  ERR_OFFLOOP_QUEUE_FULL: 'refused',
};

describe.each([
  ['reject', 1],
  ['wait', 2],
  ['drop-oldest', 3],
  ['drop-newest', 4],
] as const)("where overflow is '%s'", (overflow: PoolOptions['overflow'], seed) => {
  test('ten thousand tasks with limits of every kind each settle once, as the counts of the pool say', async () => {
    const random = randomNumbers(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const pool = open({ threads: 3, capacity: 200, overflow, agingMs: 1 });
    const ends = { fulfilled: 0, rejected: 0, cancelled: 0, dropped: 0, expired: 0, refused: 0, wrong: 0 };
    const codes = new Map<string, number>();
    const note = (end: keyof typeof ends) => void ++ends[end];
    const runs: Promise<void>[] = [];
    for (let wave = 0; wave < 50; ++wave) {
      const controller = new AbortController();
      for (let i = 0; i < 200; ++i) {
        const options: RunOptions = { priority: below(256) };
        if (below(3) === 0) options.deadlineMs = below(30) / 2;
        if (below(3) === 0) options.timeoutMs = below(20) / 10;
        if (below(3) === 0) options.cpuBudgetMs = below(20) / 10;
        if (below(4) === 0) options.signal = controller.signal;
        const dice = below(10);
        const run: Promise<unknown> =
          dice < 5
            ? pool.run(noop, [], options)
            : dice < 7
              ? pool.run(sleep, [below(4)], options)
              : dice < 9
                ? pool.run(spin, [below(10) / 10], options)
                : pool.run(unlink, ['/no/such/file'], options);
        runs.push(
          run.then(
            () => note('fulfilled'),
            ({ code }) => {
              codes.set(code, (codes.get(code) ?? 0) + 1);
              note(COUNT_OF[code] ?? 'wrong');
            },
          ),
        );
      }
      if (wave % 3 === 0) controller.abort();
      if (wave % 4 === 0) await Promise.race(runs.slice(-20));
      else await new Promise(setImmediate);
      controller.abort();
    }
    await Promise.all(runs);
    await pool.drain();
    const stats = pool.stats();
    expect(ends.wrong).toBe(0);
    const { wrong: _, ...own } = ends;
    expect(stats).toMatchObject({ ...own, inFlight: 0, queued: 0, waiting: 0, running: 0 });
    expect(stats.timedOut).toBe(codes.get('ERR_OFFLOOP_TIMEOUT') ?? 0);
    expect(stats.overBudget).toBe(codes.get('ERR_OFFLOOP_BUDGET') ?? 0);
    expect(settledIn(stats)).toBe(10_000);
    expect(Math.min(ends.fulfilled, ends.rejected, ends.cancelled, ends.expired, stats.timedOut)).toBeGreaterThan(0);
  });
});
