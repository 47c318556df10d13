import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { hash, noop, sleep, spin } from '../lib/ops.js';
import { hold, inOrder, rejection } from './support/gate.js';
import { open } from './support/pools.js';

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hex = async (digests: Promise<Buffer>[]) => (await Promise.all(digests)).map((digest) => digest.toString('hex'));

describe("where overflow is 'wait'", () => {
  test('more tasks than fit all settle, in the order in which they came', async () => {
    const pool = open({ threads: 1, capacity: 2, overflow: 'wait' });
    const held = await hold(pool);
    const runs = Array.from({ length: 200 }, (_, i) => [i, pool.run(hash, ['sha256', `${i}`])] as const);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 2, waiting: 198, inFlight: 3 });
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
    expect(pool.stats()).toMatchObject({ queued: 1, waiting: 1 });
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

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
}
