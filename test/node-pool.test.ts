import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { readFile as readFileOfNode } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NodePoolOptions, Pool } from '../lib/index.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';

/** Node's threads. */
const THREADS = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
const MIDDLE_LANE = 4;

describe.each(doorbells)("a share in Node's pool, with the doorbell '%s'", (doorbell) => {
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
  afterEach(() => Promise.all(opened.splice(0).map((pool) => pool.close({ cancel: true }))));

  describe('runs tasks', () => {
    test('of every kind, with the results that they have elsewhere', async () => {
      const pool = open();
      const here = fileURLToPath(import.meta.url);
      const bytes = Buffer.alloc(300_000, 'some text');
      const [digest, packed, text, file, nothing, exists] = await Promise.all([
        pool.run(offloop.hash, ['sha256', bytes], { input: 'borrow' }),
        pool.run(offloop.gzip, [bytes]),
        pool.run(offloop.toBase64, [bytes]),
        offloop.readFile(here, { pool }),
        pool.run(offloop.noop),
        pool.run(offloop.exists, ['/no/such/file']),
      ]);
      expect(digest).toEqual(createHash('sha256').update(bytes).digest());
      expect(gunzipSync(packed)).toEqual(bytes);
      expect(text).toBe(bytes.toString('base64'));
      expect(file).toEqual(await readFileOfNode(here));
      expect([nothing, exists]).toEqual([undefined, false]);
    });

    test('that fail, and tells why', async () => {
      const error = await rejection(open().run(offloop.unlink, ['/no/such/file']));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'unlink', path: '/no/such/file' });
      expect(error.cause).toMatchObject({ code: 'ENOENT' });
    });

    test('one after the other, each delivered without anything else to wake the loop', async () => {
      const pool = open();
      for (let i = 0; i < 200; ++i) await pool.run(offloop.noop);
      expect(pool.stats()).toMatchObject({ fulfilled: 200, queued: 0, running: 0, inFlight: 0 });
    });

    test('in the order in which they came, whatever their priority', async () => {
      const pool = open();
      const held = await hold(pool, THREADS - 1, offloop.spin);
      const last = new AbortController();
      const ended = rejection(pool.run(offloop.spin, [60_000], { signal: last.signal }));
      await until(() => pool.stats().running === THREADS, 'the last thread is taken');
      const order = inOrder(
        (['low', 'normal', 'high', 0, 255] as const).map((priority) => [
          priority,
          pool.run(offloop.noop, [], { priority, deadlineMs: 60_000 }),
        ]),
      );
      last.abort();
      await ended;
      expect(await order).toEqual(['low', 'normal', 'high', 0, 255]);
      await held.release();
    });

    test('beside its other shares: on the same threads, and in the same queue', async () => {
      const [one, other] = [open(), open()];
      const held = await hold(one, THREADS, offloop.spin);
      const run = other.run(offloop.noop);
      expect(other.stats()).toMatchObject({ queued: 1, running: 0 });
      expect(one.stats()).toMatchObject({ queued: 0, running: THREADS });
      const file = readFileOfNode(fileURLToPath(import.meta.url));
      const order = inOrder([
        ['held', held.release()],
        ['task', run],
        ['file', file],
      ] as const);
      expect((await order)[0]).toBe('held');
    });

    test('and tells when one begins', async () => {
      const heard: unknown[] = [];
      const names = ['submit', 'start', 'settle'];
      const listeners = names.map((name) => [channel(`offloop:task:${name}`), () => heard.push(name)] as const);
      const pool = open({ name: 'told' });
      for (const [each, listener] of listeners) each.subscribe(listener);
      try {
        await pool.run(offloop.spin, [1]);
      } finally {
        for (const [each, listener] of listeners) each.unsubscribe(listener);
      }
      expect(heard).toEqual(names);
    });
  });

  describe('tells', () => {
    test('what waits, by priority, and what runs', async () => {
      const pool = open({ name: 'told', capacity: 10 });
      expect(pool.stats()).toMatchObject({ name: 'told', threads: THREADS, capacity: 10, queued: 0, running: 0 });
      const held = await holdNode();
      const runs = (['high', 'normal', 'normal', 'low'] as const).map((priority) =>
        pool.run(offloop.noop, [], { priority }),
      );
      const lanes = [1, 0, 0, 0, 2, 0, 0, 1];
      expect(pool.stats()).toMatchObject({ queued: 4, waiting: 0, running: 0, inFlight: 4, lanes });
      await held.release();
      await Promise.all(runs);
      const { queuedNs, runNs, cpuNs, ...counts } = pool.stats();
      expect(counts).toMatchObject({ queued: 0, running: 0, inFlight: 0, fulfilled: 4 });
      expect(counts.lanes).toEqual(Array(8).fill(0));
      expect([queuedNs.count, runNs.count, cpuNs.count]).toEqual([4, 4, 4]);
      expect(runNs.max).toBeGreaterThan(0);
    });

    test('that it cannot be resized', () => {
      const pool = open();
      expect(() => pool.resize(2)).toThrow(expect.objectContaining({ code: 'ERR_OFFLOOP_UNSUPPORTED' }));
      expect(() => pool.resize(0)).toThrow(RangeError);
      expect(pool.stats().threads).toBe(THREADS);
    });

    test.each([
      ['threads', 2, 'ERR_INVALID_ARG_VALUE'],
      ['stackSize', 1 << 20, 'ERR_INVALID_ARG_VALUE'],
      ['agingMs', 10, 'ERR_INVALID_ARG_VALUE'],
      ['latency', 'low', 'ERR_INVALID_ARG_VALUE'],
      ['capacity', 0, 'ERR_OUT_OF_RANGE'],
      ['overflow', 'burst', 'ERR_INVALID_ARG_VALUE'],
      ['name', 7, 'ERR_INVALID_ARG_TYPE'],
      ['cpuBudgetMs', '1', 'ERR_INVALID_ARG_TYPE'],
    ])('that its %s cannot be %s', (option, value, code) => {
      const make = () => open({ [option]: value });
      expect(make).toThrow(expect.objectContaining({ code, message: expect.stringContaining(`options.${option}`) }));
    });
  });

  describe('that is full', () => {
    test("refuses what comes, where overflow is 'reject'", async () => {
      const pool = open({ capacity: 2 });
      const held = await holdNode();
      const runs = [pool.run(offloop.noop), pool.run(offloop.noop)];
      for (const run of [pool.run(offloop.noop), pool.run(offloop.noop)]) {
        expect(await rejection(run)).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
      }
      expect(pool.stats()).toMatchObject({ queued: 2, refused: 2 });
      await held.release();
      await Promise.all(runs);
    });

    test("counts apart what comes, where overflow is 'wait'", async () => {
      const pool = open({ capacity: 2, overflow: 'wait' });
      const held = await holdNode();
      const runs = Array.from({ length: 50 }, () => pool.run(offloop.noop));
      expect(pool.stats()).toMatchObject({ queued: 2, waiting: 48, inFlight: 50 });
      await held.release();
      await Promise.all(runs);
      expect(pool.stats()).toMatchObject({ queued: 0, waiting: 0, fulfilled: 50, refused: 0 });
    });

    test("gives up what comes, where overflow is 'drop-newest'", async () => {
      const pool = open({ capacity: 2, overflow: 'drop-newest' });
      const held = await holdNode();
      const runs = [pool.run(offloop.noop), pool.run(offloop.noop)];
      expect(await rejection(pool.run(offloop.noop))).toMatchObject({ code: 'ERR_OFFLOOP_DROPPED' });
      expect(pool.stats()).toMatchObject({ queued: 2, dropped: 1 });
      await held.release();
      await Promise.all(runs);
    });

    test("gives up what has waited longest, where overflow is 'drop-oldest'", async () => {
      const pool = open({ capacity: 2, overflow: 'drop-oldest' });
      const held = await holdNode();
      const runs = Array.from({ length: 6 }, (_, i) => pool.run(offloop.hash, ['md5', `${i}`], { priority: 'high' }));
      for (const error of await Promise.all(runs.slice(0, 4).map(rejection))) {
        expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DROPPED' });
      }
      expect(pool.stats()).toMatchObject({ queued: 2, dropped: 4 });
      await held.release();
      const last = ['4', '5'].map((text) => createHash('md5').update(text).digest());
      expect(await Promise.all(runs.slice(4))).toEqual(last);
    });
  });

  describe('aborts', () => {
    test('a task that waits at once: its place is free, and it never runs', async () => {
      const pool = open({ capacity: 2 });
      const held = await holdNode();
      const controller = new AbortController();
      const { signal } = controller;
      const aborted = [0, 1].map(() => rejection(pool.run(offloop.noop, [], { signal })));
      expect(await rejection(pool.run(offloop.noop))).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
      controller.abort('enough');
      for (const error of await Promise.all(aborted)) {
        expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
      }
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      expect(pool.stats()).toMatchObject({ queued: 0, cancelled: 2 });
      expect(pool.stats().lanes[MIDDLE_LANE]).toBe(0);
      const next = pool.run(offloop.noop);
      await held.release();
      await next;
      expect(pool.stats()).toMatchObject({ fulfilled: 1, inFlight: 0 });
      expect(pool.stats().runNs.count).toBe(1);
    });

    test('a task that runs: it sees its stop flag', async () => {
      const pool = open();
      const controller = new AbortController();
      const error = rejection(pool.run(offloop.spin, [60_000], { signal: controller.signal }));
      await until(() => pool.stats().running === 1, 'it spins');
      controller.abort();
      expect(await error).toMatchObject({ code: 'ABORT_ERR' });
      await until(() => pool.stats().running === 0, 'it has stopped');
      expect(pool.stats()).toMatchObject({ cancelled: 1, fulfilled: 0 });
    });

    test('a task that cannot be stopped, and waits for it when it closes', async () => {
      const pool = open();
      const controller = new AbortController();
      const args = ['a', 'b', 32, { N: 2 ** 17, maxmem: 2 ** 28 }] as const;
      const run = pool.run(offloop.scrypt, [...args], { signal: controller.signal });
      await until(() => pool.stats().running === 1, 'it derives');
      controller.abort();
      expect(await rejection(run)).toMatchObject({ code: 'ABORT_ERR' });
      await pool.close();
      expect(pool.stats()).toMatchObject({ cancelled: 1, running: 0, inFlight: 0 });
      expect(pool.stats().runNs.count).toBe(1);
    });

    test('a task that has settled, which changes nothing', async () => {
      const pool = open();
      const controller = new AbortController();
      await pool.run(offloop.noop, [], { signal: controller.signal });
      const held = await holdNode();
      const next = pool.run(offloop.noop); // in a slot that has been used before
      controller.abort();
      await held.release();
      await next;
    });
  });

  describe('ends', () => {
    test('when what was accepted is done, and accepts no more', async () => {
      const pool = open();
      const runs = Array.from({ length: 20 }, () => pool.run(offloop.spin, [0.2]));
      const closed = pool.close();
      expect(await rejection(pool.run(offloop.noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
      await closed;
      await Promise.all(runs);
      expect(pool.stats()).toMatchObject({ fulfilled: 20, inFlight: 0 });
    });

    test('with what is queued, runs and sleeps, when told to cancel', async () => {
      const pool = open();
      const asleep = pool.run(offloop.sleep, [60_000]);
      await until(() => pool.stats().runNs.count === 1, 'it sleeps');
      const running = Array.from({ length: THREADS }, () => pool.run(offloop.spin, [60_000]));
      await until(() => pool.stats().running === THREADS, 'they spin');
      const errors = Promise.all([asleep, ...running, pool.run(offloop.noop)].map(rejection));
      await pool.close({ cancel: true });
      for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
      expect(pool.stats()).toMatchObject({ cancelled: THREADS + 2, fulfilled: 0, inFlight: 0 });
    });

    test('and leaves its number to others, hundreds of times', async () => {
      for (let i = 0; i < 300; ++i) {
        const pool = offloop.Pool.node();
        await Promise.all([pool.run(offloop.noop), pool.run(offloop.noop)]);
        await pool.close();
      }
    });
  });
});
