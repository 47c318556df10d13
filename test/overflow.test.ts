import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OffloopError, type Pool, type RunOptions } from '../lib/index.js';
import { hash, noop, sleep, spin, writeFile } from '../lib/ops.js';
import { hold, inOrder, rejection } from './support/gate.js';
import { open } from './support/pools.js';
import { randomNumbers } from './support/random.js';

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hex = async (digests: Promise<Buffer>[]) => (await Promise.all(digests)).map((digest) => digest.toString('hex'));

describe("where overflow is 'wait'", () => {
  test('more tasks than fit all settle, in the order in which they came', async () => {
    const pool = open({ threads: 1, capacity: 2, overflow: 'wait' });
    const held = await hold(pool);
    const runs = Array.from({ length: 200 }, (_, i) => [i, pool.run(hash, ['sha256', `${i}`])] as const);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 2, waiting: 198, inFlight: 201 });
    const order = inOrder(runs);
    await held.release();
    expect(await order).toEqual(runs.map(([i]) => i));
    expect(await hex(runs.map(([, run]) => run))).toEqual(runs.map(([i]) => sha256(`${i}`)));
    expect(pool.stats()).toMatchObject({ waiting: 0, inFlight: 0, fulfilled: 200, refused: 0 });
  });

  test.each([
    ['a few bytes', 3, 'auto'],
    ['as much as is copied by default', 64 * 1024, 'auto'],
    ['more than fits between the threads', 300 * 1024, 'copy'],
  ] as const)('a task waits with %s as they were when it was run', async (_what, size, input) => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const data = Buffer.alloc(size);
    const runs: Promise<Buffer>[] = [];
    for (let i = 0; i < 8; ++i) {
      data.fill(i);
      runs.push(pool.run(hash, ['sha256', data], { input }));
    }
    data.fill(255);
    await held.release();
    expect(await hex(runs)).toEqual(runs.map((_, i) => sha256(Buffer.alloc(size, i))));
  });

  test('a task moves its input when it is run, not when there is room', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const inputs = Array.from({ length: 4 }, (_, i) => new Uint8Array(1000).fill(i));
    const runs = inputs.map((data) => pool.run(hash, ['sha256', data], { input: 'move' }));
    expect(inputs.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0, 0]);
    await held.release();
    expect(await hex(runs)).toEqual(runs.map((_, i) => sha256(new Uint8Array(1000).fill(i))));
  });

  test('a task that waits can be aborted: at once, without having run, and without a listener left', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const queued = pool.run(noop);
    const { signal, abort } = stoppable();
    const aborted = pool.run(noop, [], { signal });
    const last = pool.run(noop);
    expect(pool.stats()).toMatchObject({ queued: 1, waiting: 2 });
    abort('enough');
    expect(pool.stats()).toMatchObject({ queued: 1, waiting: 1, cancelled: 1 });
    expect(await rejection(aborted)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await held.release();
    await Promise.all([queued, last]);
    expect(pool.stats()).toMatchObject({ fulfilled: 2, waiting: 0 });
  });

  test('a task that waited can be aborted when it runs', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const queued = pool.run(noop);
    const { signal, abort } = stoppable();
    const aborted = pool.run(spin, [60_000], { signal });
    expect(pool.stats().waiting).toBe(1);
    await Promise.all([held.release(), queued]);
    expect(pool.stats().waiting).toBe(0);
    abort('enough');
    expect(await rejection(aborted)).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
  });

  test('a run into free room does not pass those that wait', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const order: number[] = [];
    const chain = async (name: number) => {
      for (let i = 0; i < 50; ++i) {
        await pool.run(noop);
        order.push(name);
      }
    };
    await Promise.all([0, 1, 2, 3, 4].map(chain));
    for (let round = 0; round < 50; ++round) {
      expect(order.slice(round * 5, round * 5 + 5).toSorted()).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test('closing lets those that wait run first', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const runs = Array.from({ length: 20 }, () => pool.run(sleep, [1]));
    const closed = pool.close();
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    await closed;
    expect(await Promise.allSettled(runs)).toEqual(runs.map(() => ({ status: 'fulfilled', value: undefined })));
  });

  test('closing with cancel rejects those that wait', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const runs = Array.from({ length: 20 }, () => pool.run(noop));
    const errors = Promise.all(runs.map(rejection));
    await Promise.all([pool.close({ cancel: true }), held.release()]);
    for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  test('draining waits for those that wait', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    let settled = 0;
    for (let i = 0; i < 50; ++i) pool.run(noop).then(() => ++settled);
    await pool.drain();
    expect(settled).toBe(50);
  });
});

describe("where overflow is 'wait', those that wait beyond the capacity", () => {
  test('go by priority like the others', async () => {
    const pool = open({ threads: 1, capacity: 2, overflow: 'wait' });
    const held = await hold(pool);
    const order = inOrder(
      (['low', 'low', 'low', 'normal', 'high'] as const).map((priority, i) => [i, pool.run(noop, [], { priority })]),
    );
    expect(pool.stats()).toMatchObject({ queued: 2, waiting: 3, lanes: [1, 0, 0, 0, 1, 0, 0, 3] });
    await held.release();
    expect(await order).toEqual([4, 3, 0, 1, 2]);
  });

  test('expire like the others', async () => {
    const pool = open({ threads: 1, capacity: 2, overflow: 'wait' });
    const held = await hold(pool);
    const runs = Array.from({ length: 5 }, (_, i) => pool.run(noop, [], i < 3 ? {} : { deadlineMs: 10 }));
    for (const { code } of await Promise.all(runs.slice(3).map(rejection))) expect(code).toBe('ERR_OFFLOOP_DEADLINE');
    expect(pool.stats()).toMatchObject({ queued: 2, waiting: 1, expired: 2 });
    await held.release();
    await Promise.all(runs.slice(0, 3));
  });
});

describe("where overflow is 'reject'", () => {
  test('a place that becomes free is taken by the next one, not by one that was refused', async () => {
    const pool = open({ threads: 1, capacity: 2 });
    const held = await hold(pool);
    const controller = new AbortController();
    const first = rejection(pool.run(noop, [], { signal: controller.signal }));
    const second = pool.run(noop);
    const refused = rejection(pool.run(noop, [], { priority: 'high' }));
    expect(pool.stats()).toMatchObject({ queued: 2 });
    controller.abort();
    const third = pool.run(noop);
    expect(await refused).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    await held.release();
    await Promise.all([first, second, third]);
    expect(pool.stats()).toMatchObject({ refused: 1, cancelled: 2, fulfilled: 2, dropped: 0 });
  });
});

/** What becomes of tasks that are run, some in one tick and some in the next, while the thread is busy. */
async function fates(pool: Pool, ticks: RunOptions[][]): Promise<{ dropped: number[]; ran: number[] }> {
  const held = await hold(pool);
  const dropped: number[] = [];
  const ran: number[] = [];
  const runs: Promise<unknown>[] = [];
  for (const tick of ticks) {
    for (const options of tick) {
      const id = runs.length;
      const fail = (error: unknown) => {
        expect(error).toBeInstanceOf(OffloopError);
        expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DROPPED', task: 'noop' });
        dropped.push(id);
      };
      runs.push(pool.run(noop, [], options).then(() => ran.push(id), fail));
    }
    pool.stats(); // hands over what was submitted
  }
  await held.release();
  await Promise.all(runs);
  const { length } = dropped;
  expect(pool.stats()).toMatchObject({ dropped: length, fulfilled: ran.length, refused: 0, rejected: 0, cancelled: 1 });
  return { dropped: dropped.sort((a, b) => a - b), ran };
}

const HIGH: RunOptions = { priority: 'high' };
const NORMAL: RunOptions = {};
const LOW: RunOptions = { priority: 'low' };
const soon = (options: RunOptions, deadlineMs: number): RunOptions => ({ ...options, deadlineMs });

describe("where overflow is 'drop-newest'", () => {
  const full = () => open({ threads: 1, capacity: 3, overflow: 'drop-newest', agingMs: 2 ** 31 - 1 });

  test('the one that comes is given up, however urgent', async () => {
    const ticks = [[LOW, NORMAL, LOW], [HIGH, soon(HIGH, 9000)], [LOW]];
    expect(await fates(full(), ticks)).toEqual({ dropped: [3, 4, 5], ran: [1, 0, 2] });
  });

  test('of a batch, the first ones find room', async () => {
    expect(await fates(full(), [Array(8).fill(NORMAL)])).toEqual({ dropped: [3, 4, 5, 6, 7], ran: [0, 1, 2] });
  });
});

describe("where overflow is 'drop-oldest'", () => {
  const full = () => open({ threads: 1, capacity: 3, overflow: 'drop-oldest', agingMs: 2 ** 31 - 1 });

  test.each([
    ['the one that has waited longest is given up', [[NORMAL, NORMAL, NORMAL], [NORMAL]], [0], [1, 2, 3]],
    ['of a batch, the last ones stay', [Array(8).fill(NORMAL)], [0, 1, 2, 3, 4], [5, 6, 7]],
    ['the last lane gives up its own', [[HIGH, LOW, NORMAL, NORMAL, HIGH]], [1, 2], [0, 4, 3]],
    ['a less urgent one is given up itself', [[HIGH, HIGH, NORMAL], [LOW], [LOW]], [3, 4], [0, 1, 2]],
    [
      'but those after it in its batch are not',
      [
        [NORMAL, NORMAL, NORMAL],
        [LOW, HIGH],
      ],
      [0, 3],
      [4, 1, 2],
    ],
    ['one with a deadline stays', [[soon(NORMAL, 9000), NORMAL, NORMAL], [NORMAL]], [1], [0, 2, 3]],
    ['and takes the place of one without', [[NORMAL, NORMAL, NORMAL], [soon(NORMAL, 9000)]], [0], [3, 1, 2]],
    ['but not of one in a lane before', [[NORMAL, NORMAL, NORMAL], [soon(LOW, 9000)]], [3], [0, 1, 2]],
    ['nor does one without take its place', [Array(3).fill(soon(NORMAL, 9000)), [NORMAL]], [3], [0, 1, 2]],
    ['a more urgent one does', [Array(3).fill(soon(NORMAL, 9000)), [HIGH]], [0], [3, 1, 2]],
    [
      'among deadlines the next one is given up',
      [[9000, 5000, 7000, 8000].map((ms) => soon(NORMAL, ms))],
      [1],
      [2, 3, 0],
    ],
  ] as const)('%s', async (_what, ticks, dropped, ran) => {
    expect(await fates(full(), ticks as unknown as RunOptions[][])).toEqual({ dropped, ran });
  });

  test('what is given up is rejected at once, while the thread is busy, and never runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offloop-'));
    const path = join(folder, 'dropped');
    const pool = open({ threads: 1, capacity: 1, overflow: 'drop-oldest' });
    const held = await hold(pool);
    const { signal } = stoppable();
    const dropped = pool.run(writeFile, [path, 'text'], { signal });
    const next = pool.run(noop);
    expect(await rejection(dropped)).toMatchObject({ code: 'ERR_OFFLOOP_DROPPED', task: 'writeFile' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 1, inFlight: 2, dropped: 1 });
    await held.release();
    await next;
    expect(existsSync(path)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test('two thousand random tasks meet the fates that these rules give them', async () => {
    const random = randomNumbers(7);
    const capacity = 40;
    const lanes = [0, 100, 128, 200, 255];
    const waiting: { id: number; lane: number; due: number }[] = [];
    const lost: number[] = [];
    const ticks: RunOptions[][] = [];
    for (let id = 0; id < 2000; ) {
      const tick: RunOptions[] = [];
      for (let left = Math.floor(60 * random()); left >= 0 && id < 2000; --left, ++id) {
        const priority = lanes[Math.floor(lanes.length * random())] as number;
        const deadlineMs = random() < 0.4 ? 20_000 + 10_000 * Math.floor(40_000 * random()) : undefined;
        tick.push(deadlineMs === undefined ? { priority } : { priority, deadlineMs });
        const one = { id, lane: priority >> 5, due: deadlineMs ?? Infinity };
        if (waiting.length === capacity) {
          const last = Math.max(...waiting.map(({ lane }) => lane));
          const candidates = waiting.filter(({ lane }) => lane === last);
          const least =
            candidates.find(({ due }) => due === Infinity) ?? candidates.sort((a, b) => a.due - b.due)[0] ?? one;
          const isLess = last < one.lane || (last === one.lane && least.due < Infinity && one.due === Infinity);
          lost.push(isLess ? id : least.id);
          if (isLess) continue;
          waiting.splice(waiting.indexOf(least), 1);
        }
        waiting.push(one);
      }
      ticks.push(tick);
    }
    const pool = open({ threads: 1, capacity, overflow: 'drop-oldest', agingMs: 2 ** 31 - 1 });
    const ran = waiting.sort((a, b) => a.lane - b.lane || (a.due === b.due ? a.id - b.id : a.due - b.due));
    expect(await fates(pool, ticks)).toEqual({ dropped: lost.sort((a, b) => a - b), ran: ran.map(({ id }) => id) });
  });
});

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
}
