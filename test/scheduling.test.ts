import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Pool, Priority, RunOptions } from '../lib/index.js';
import { noop, spin } from '../lib/ops.js';
import { hold, inOrder, until } from './support/gate.js';
import { open } from './support/pools.js';
import { SLOWNESS } from './support/program.js';
import { randomNumbers, shuffled } from './support/random.js';

const NEVER_RISES = 2 ** 31 - 1;

/** Submits a task for each of these options while the thread is busy; the order in which they run. */
async function orderOf(pool: Pool, all: readonly RunOptions[]): Promise<number[]> {
  const held = await hold(pool);
  const order = inOrder(all.map((options, i) => [i, pool.run(noop, [], options)] as const));
  await held.release();
  return order;
}

const indices = (items: readonly unknown[]) => items.map((_, i) => i);

describe('lanes', () => {
  test('are eight, of 32 priorities each, the lowest numbers first; each is first in, first out', async () => {
    const names = { high: 0, normal: 128, low: 255 };
    const priorities: Priority[] = [...Array(256).keys(), 'high', 'normal', 'low', 'high', 'normal', 'low'];
    const all = shuffled(priorities, randomNumbers(1));
    const lane = (i: number) => {
      const priority = all[i] as Priority;
      return Math.floor((typeof priority === 'number' ? priority : names[priority]) / 32);
    };
    const pool = open({ threads: 1, agingMs: NEVER_RISES });
    const order = await orderOf(
      pool,
      all.map((priority) => ({ priority })),
    );
    expect(order).toEqual(indices(all).sort((a, b) => lane(a) - lane(b) || a - b));
  });

  test('have the tasks with deadlines in front, the earliest first, and behind them the others in order', async () => {
    const random = randomNumbers(2);
    // A second apart, so that it does not matter how long the calls take.
    const deadlines = shuffled([...Array(60).keys()], random).map((i) => 20_000 + 1000 * i);
    const all = deadlines.flatMap((deadlineMs) => (random() < 0.5 ? [{ deadlineMs }, {}] : [{}, { deadlineMs }]));
    const due = (i: number) => all[i]?.deadlineMs ?? Infinity;
    const expected = indices(all).sort((a, b) => (due(a) === due(b) ? a - b : due(a) - due(b)));
    expect(await orderOf(open({ threads: 1, agingMs: NEVER_RISES }), all)).toEqual(expected);
  });

  test('with equal deadlines are first in, first out', async () => {
    const all = Array.from({ length: 1000 }, () => ({ deadlineMs: 20_000 }));
    expect(await orderOf(open({ threads: 1 }), all)).toEqual(indices(all));
  });

  test('go by priority before they go by deadline', async () => {
    const all: RunOptions[] = [
      { priority: 'low', deadlineMs: 20_000 },
      { priority: 'normal' },
      { priority: 'normal', deadlineMs: 60_000 },
      { priority: 'high' },
      { priority: 'high', deadlineMs: 90_000 },
      { priority: 160, deadlineMs: 10_000 },
      { priority: 159, deadlineMs: 30_000 },
    ];
    expect(await orderOf(open({ threads: 1, agingMs: NEVER_RISES }), all)).toEqual([4, 3, 6, 2, 1, 5, 0]);
  });
});

describe('a waiting task', () => {
  test('that has risen above the first lane goes before an urgent one that comes then', async () => {
    const pool = open({ threads: 1, agingMs: 2 });
    const held = await hold(pool);
    const low = pool.run(noop, [], { priority: 'low' });
    await pause(40); // more than (7 + 1) · 2 ms
    const order = inOrder([
      ['high', pool.run(noop, [], { priority: 'high' })],
      ['with a deadline', pool.run(noop, [], { priority: 'high', deadlineMs: 20_000 })],
      ['low', low],
    ]);
    await held.release();
    expect(await order).toEqual(['low', 'with a deadline', 'high']);
  });

  test('does not rise sooner', async () => {
    const pool = open({ threads: 1, agingMs: 5000 });
    const held = await hold(pool);
    const low = pool.run(noop, [], { priority: 'low' });
    const normal = pool.run(noop);
    await pause(40);
    const order = inOrder([
      ['low', low],
      ['normal', normal],
      ['high', pool.run(noop, [], { priority: 'high' })],
    ]);
    await held.release();
    expect(await order).toEqual(['high', 'normal', 'low']);
  });

  /** Keeps `depth` urgent tasks waiting until the other has run. What came when, in the order in which it ran. */
  async function flooded(agingMs: number, priority: Priority, depth: number, most: number) {
    const pool = open({ threads: 1, agingMs });
    const held = await hold(pool);
    let ended = false;
    const other = pool.run(noop, [], { priority });
    pool.stats(); // it has left JavaScript now
    const accepted = performance.now();
    const cameBefore: number[] = [];
    let left = most;
    const flood = async () => {
      while (!ended && left-- > 0) {
        const came = performance.now();
        await pool.run(spin, [0.5], { priority: 'high' });
        if (!ended) cameBefore.push(came - accepted);
      }
    };
    const floods = Array.from({ length: depth }, flood);
    const ends = other.then(() => {
      ended = true;
      return performance.now() - accepted;
    });
    await held.release();
    const [waited] = await Promise.all([ends, ...floods]);
    return { waited, lastBefore: Math.max(...cameBefore), before: cameBefore.length, left };
  }

  test.each([
    ['low', 7],
    ['normal', 4],
    [64, 2],
  ] as const)(
    'of priority %s, so of lane L = %i, is overtaken by nothing that comes (L + 1) · agingMs after it',
    async (priority, lane) => {
      const agingMs = 5 * SLOWNESS; // the first of the flood must come before the task has risen
      const { waited, lastBefore, before, left } = await flooded(agingMs, priority, 20, 100_000);
      const bound = (lane + 1) * agingMs;
      expect(left).toBeGreaterThan(0);
      expect(before).toBeGreaterThan(0);
      expect(lastBefore).toBeLessThan(bound);
      // And what was ahead of it then: twenty tasks of half a millisecond. The rest is for a slow machine.
      expect(waited).toBeLessThan(bound + 20 * 0.5 + 3000);
    },
  );

  test('waits for all that are more urgent when agingMs is long', async () => {
    const { before } = await flooded(60_000, 'low', 500, 500);
    expect(before).toBe(500);
  });
});

describe('an urgent task', () => {
  test('waits for one task at most, while ten times the capacity of others floods its pool', async () => {
    const capacity = 64;
    const pool = open({ threads: 1, capacity, overflow: 'drop-oldest', agingMs: NEVER_RISES });
    let ran = 0;
    const note = () => void ++ran;
    const overtakenBy: number[] = [];
    const waited: number[] = [];
    for (let round = 0; round < 100; ++round) {
      for (let i = 0; i < 10 * capacity; ++i) pool.run(spin, [2], { priority: 'low' }).then(note, () => {});
      const submitted = performance.now();
      const urgent = pool.run(noop, [], { priority: 'high' });
      const ranBefore = pool.stats().runNs.count;
      await urgent;
      waited.push(performance.now() - submitted);
      overtakenBy.push(ran - ranBefore);
      note();
    }
    expect(pool.stats().dropped).toBeGreaterThan(50_000);
    expect(Math.max(...overtakenBy)).toBeLessThanOrEqual(1);
    // Two tasks take 4 ms, all that wait 128 ms.
    expect(waited.toSorted((a, b) => a - b)[50]).toBeLessThan(64 * SLOWNESS);
  });
});

/** A task, in time that the test counts: it comes at `at`, runs for 1, and must have ended by `due`. */
interface Job {
  readonly at: number;
  readonly due: number;
}

/** At 90 % load; one of three is in a hurry. */
function arrivals(count: number, seed: number): Job[] {
  const random = randomNumbers(seed);
  let at = 0;
  return Array.from({ length: count }, () => {
    at += -Math.log(1 - random()) / 0.9;
    const patience = random() < 1 / 3 ? 2 + 3 * random() : 20 + 40 * random();
    return { at, due: Math.ceil(10 * (at + patience)) / 10 }; // a tenth is 100 ms to the pool
  });
}

/**
 * Has a pool of one thread choose in which order to run the jobs, and tells how many of them end late. Each runs until
 * the test says that its time is over, so no clock has a say.
 */
async function late(jobs: readonly Job[], withDeadlines: boolean): Promise<number> {
  const pool = open({ threads: 1, agingMs: NEVER_RISES });
  const numbers = new WeakMap<object, number>();
  let submitting = 0;
  let running = -1;
  const onSubmit = (event: unknown) => numbers.set(event as object, submitting);
  const onStart = (event: unknown) => {
    running = numbers.get(event as object) as number;
  };
  subscribe('offloop:task:submit', onSubmit);
  subscribe('offloop:task:start', onStart);
  const controllers = jobs.map(() => new AbortController());
  const runs: Promise<unknown>[] = [];
  const began = performance.now();
  const submitUntil = (now: number) => {
    for (let job = jobs[submitting]; job !== undefined && job.at <= now; job = jobs[submitting]) {
      const options: RunOptions = { signal: controllers[submitting]?.signal as AbortSignal };
      if (withDeadlines) options.deadlineMs = 20_000 + job.due * 1000 - (performance.now() - began);
      runs.push(pool.run(spin, [60_000], options).catch(() => {}));
      ++submitting;
    }
  };
  let now = 0;
  let misses = 0;
  for (let ended = 0; ended < jobs.length; ++ended) {
    if (submitting === ended) now = jobs[submitting]?.at as number;
    submitUntil(now);
    await until(() => running >= 0, 'the next job begins');
    const job = running;
    running = -1;
    now += 1;
    submitUntil(now);
    if (now > (jobs[job] as Job).due) ++misses;
    controllers[job]?.abort();
  }
  unsubscribe('offloop:task:submit', onSubmit);
  unsubscribe('offloop:task:start', onStart);
  await Promise.all(runs);
  return misses;
}

describe('of tasks with different deadlines that come at 90 % load', () => {
  test.each([2, 3])('at most half as many are late as in order of arrival (arrivals %i)', async (seed) => {
    const jobs = arrivals(200, seed);
    const fifo = await late(jobs, false);
    const edf = await late(jobs, true);
    expect(fifo).toBeGreaterThan(10);
    expect(edf).toBeLessThanOrEqual(fifo / 2);
  });
});
