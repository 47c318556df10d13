import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { OffloopError, run } from '../lib/index.js';
import { gzip, hash, noop, sleep, spin } from '../lib/ops.js';
import { Worker } from '../lib/primitives.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { loadOffloop } from './support/offloop.js';
import { open } from './support/pools.js';

const sha256 = (data: string) => createHash('sha256').update(data).digest();

describe('a run', () => {
  test('resolves with what the task returns', async () => {
    expect(await open().run(hash, ['sha256', 'abc'])).toEqual(sha256('abc'));
  });

  test('of a task without arguments needs none', async () => {
    expect(await open().run(noop)).toBeUndefined();
    expect(await open().run(noop, [])).toBeUndefined();
  });

  test('returns a plain promise', async () => {
    const promise = open().run(noop);
    expect(Object.getPrototypeOf(promise)).toBe(Promise.prototype);
    await promise;
  });

  test('without a pool takes the default pool', async () => {
    expect(await run(hash, ['sha256', 'abc'])).toEqual(sha256('abc'));
    expect(await run(noop)).toBeUndefined();
  });

  test('is the same as calling the task with a pool among its options', async () => {
    const pool = open();
    expect(await hash('sha256', 'abc', { pool })).toEqual(sha256('abc'));
    expect(pool.stats().fulfilled).toBe(1);
  });

  test('of a sleeping task does not hold a thread', async () => {
    const pool = open({ threads: 1 });
    const slept = pool.run(sleep, [30]);
    expect(
      await inOrder([
        ['slept', slept],
        ['ran', pool.run(noop)],
      ]),
    ).toEqual(['ran', 'slept']);
  });

  test('takes every thread of its pool at the same time', async () => {
    const pool = open({ threads: 3 });
    const held = await hold(pool, 3);
    expect(pool.stats()).toMatchObject({ running: 3, queued: 0, threadsStarted: 3 });
    await held.release();
  });
});

describe('capacity', () => {
  test('is what may wait beyond what runs: the next one is refused and nothing else is lost', async () => {
    const pool = open({ threads: 1, capacity: 5 });
    const held = await hold(pool);
    const accepted = Array.from({ length: 5 }, (_, i) => pool.run(hash, ['sha256', `${i}`]));
    const error = await rejection(pool.run(hash, ['sha256', 'too many']));
    expect(error).toBeInstanceOf(OffloopError);
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL', task: 'hash' });
    expect(pool.stats()).toMatchObject({ queued: 5, running: 1, inFlight: 6, refused: 1 });
    await held.release();
    expect(await Promise.all(accepted)).toEqual(['0', '1', '2', '3', '4'].map(sha256));
    expect(pool.stats()).toMatchObject({ fulfilled: 5, cancelled: 1, refused: 1, inFlight: 0 });
  });

  test('counts free threads in, also within one tick', async () => {
    const pool = open({ threads: 2, capacity: 3 });

    const controller = new AbortController();
    const runs = Array.from({ length: 8 }, () => rejection(pool.run(spin, [60_000], { signal: controller.signal })));
    await until(() => pool.stats().running === 2, 'both threads are taken');
    await until(() => pool.stats().refused === 3, 'the rest has been told'); // or the abort would tell it first
    expect(pool.stats()).toMatchObject({ queued: 3 });
    controller.abort();
    const codes = (await Promise.all(runs)).map(({ code }) => code);
    expect(codes).toEqual([...Array(5).fill('ABORT_ERR'), ...Array(3).fill('ERR_OFFLOOP_QUEUE_FULL')]);
  });

  test('is free again as soon as a task has come home', async () => {
    const pool = open({ threads: 1, capacity: 1 });
    for (let i = 0; i < 2000; ++i) await Promise.all([pool.run(noop), pool.run(noop)]);
    expect(pool.stats()).toMatchObject({ fulfilled: 4000, refused: 0 });
  });

  test('of one pool does not touch another', async () => {
    const full = open({ threads: 1, capacity: 1 });
    const held = await hold(full);
    const queued = full.run(noop);
    const other = open({ threads: 1, capacity: 1 });
    await Promise.all([rejection(full.run(noop)), other.run(noop), rejection(full.run(noop)), other.run(noop)]);
    await held.release();
    await queued;
    expect(full.stats()).toMatchObject({ fulfilled: 1, refused: 2 });
  });
});

describe('priority', () => {
  test('decides which lane is served first, and each lane is first in, first out', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const submitted = ['low', 'normal', 'high', 200, 40, 0, 255, 'normal', 'high', 128, 31, 63, 'low'] as const;
    const lanes = { high: 0, normal: 128, low: 255 };
    const laneOf = (priority: (typeof submitted)[number]) =>
      Math.floor((typeof priority === 'number' ? priority : lanes[priority]) / 32);
    const order = inOrder(submitted.map((priority, i) => [i, pool.run(noop, [], { priority })] as const));
    await held.release();
    const expected = submitted
      .map((priority, i) => ({ i, lane: laneOf(priority) }))
      .sort((a, b) => a.lane - b.lane || a.i - b.i);
    expect(await order).toEqual(expected.map(({ i }) => i));
  });

  test('is normal when none is given', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const order = inOrder([
      ['low', pool.run(noop, [], { priority: 'low' })],
      ['none', pool.run(noop)],
      ['high', pool.run(noop, [], { priority: 'high' })],
    ]);
    await held.release();
    expect(await order).toEqual(['high', 'none', 'low']);
  });

  test('does not stop what runs', async () => {
    const pool = open({ threads: 1 });
    const long = pool.run(spin, [20], { priority: 'low' });
    await until(() => pool.stats().running === 1, 'it runs');
    const urgent = pool.run(noop, [], { priority: 'high' });
    expect(
      await inOrder([
        ['long', long],
        ['urgent', urgent],
      ]),
    ).toEqual(['long', 'urgent']);
  });
});

describe('what is no task of this copy of offloop', () => {
  test.each([
    ['what is made up', async () => ({ definition: { ...gzip.definition, operation: 60_000 } })],
    ['what is made after a task', async () => ({ definition: Object.create(gzip.definition) })],
    ["another copy's", async () => (await loadOffloop('loop')).gzip],
  ])('is refused wherever it is to run: %s', async (_what, other) => {
    const task = (await other()) as typeof gzip;
    const pool = open();
    const doors = [
      () => pool.run(task, ['']),
      () => pool.start(task, ['']),
      () => pool.map(task, ['']),
      () => pool.transform(task),
      () => Worker.spawn(task, ['']),
    ];
    for (const door of doors) expect(door).toThrow(/The "task" argument must be a task of (this copy of )?offloop/);
    expect(pool.stats()).toMatchObject({ fulfilled: 0, inFlight: 0 });
  });
});
