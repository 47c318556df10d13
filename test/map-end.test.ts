import { getEventListeners } from 'node:events';
import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { AbortError, type MapOptions } from '../lib/index.js';
import { hash, noop, readFile, scrypt, sleep, spin, toBase64 } from '../lib/ops.js';
import { temporaryFolder } from './ops/support.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';
import { forever, gated, kinds, watched } from './support/sources.js';

const DONE = { value: undefined, done: true };
const inFolder = temporaryFolder();
const IDLE = { queued: 0, running: 0, waiting: 0, inFlight: 0 };
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

/** A pool with one task that is done, one that runs and others that wait; and their source. */
async function begun(kind: (typeof kinds)[number], options: MapOptions = {}, overflow: 'reject' | 'wait' = 'reject') {
  const pool = open({ threads: 1, capacity: overflow === 'wait' ? 1 : 100, overflow });
  const items = function* () {
    yield 0;
    yield* forever(60_000);
  };
  const { source, use } = watched(kind, items());
  const results = pool.map(spin, source, { concurrency: 5, ...options });
  await results.next();
  await until(() => use.pulled === 6 && pool.stats().running === 1, 'one runs and four wait');
  return { pool, results, use };
}

describe.each(kinds)('a map of a source that is %s', (kind) => {
  test.each(['reject', 'wait'] as const)("ends with return(), where overflow is '%s'", async (overflow) => {
    const { pool, results, use } = await begun(kind, {}, overflow);
    expect(await results.return()).toEqual(DONE);
    expect(pool.stats()).toMatchObject({ ...IDLE, fulfilled: 1 });
    expect(use).toEqual({ opened: 1, pulled: 6, overlaps: 0, returned: 1 });
    expect(await results.next()).toEqual(DONE);
    expect(await results.return()).toEqual(DONE);
    expect(use.returned).toBe(1);
  });

  test('ends with break', async () => {
    const pool = open({ threads: 2 });
    const { source, use } = watched(kind, forever([0.1]));
    let count = 0;
    for await (const _ of pool.map(spin, source)) if (++count === 10) break;
    expect(pool.stats()).toMatchObject(IDLE);
    expect(use.returned).toBe(1);
  });

  test('ends with throw(), which rejects with its error', async () => {
    const { pool, results, use } = await begun(kind);
    const error = new Error('enough');
    expect(await rejection(results.throw(error))).toBe(error);
    expect(pool.stats()).toMatchObject(IDLE);
    expect(use.returned).toBe(1);
    expect(await results.next()).toEqual(DONE);
  });

  test('answers what waits as done, in order, when it is ended', async () => {
    const { results } = await begun(kind);
    const calls = [results.next(), results.next(), results.return(), results.next()] as const;
    expect(await inOrder(calls.map((call, i) => [i, call] as const))).toEqual([0, 1, 3, 2]);
    expect(await Promise.all(calls)).toEqual([DONE, DONE, DONE, DONE]);
  });

  test('ends its source without having pulled it, when it is ended before it began', async () => {
    const { source, use } = watched(kind, forever([]));
    const results = open().map(noop, source);
    expect(await results.return()).toEqual(DONE);
    expect(await results.next()).toEqual(DONE);
    expect(use).toEqual({ opened: 1, pulled: 0, overlaps: 0, returned: 1 });
  });

  test('rejects when its signal is aborted', async () => {
    const controller = new AbortController();
    const { pool, results, use } = await begun(kind, { signal: controller.signal });
    const calls = [results.next(), results.next()] as const;
    controller.abort('not today');
    const error = await rejection(calls[0]);
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ code: 'ABORT_ERR', cause: 'not today' });
    expect(pool.stats()).toMatchObject({ ...IDLE, fulfilled: 1 });
    expect(use.returned).toBe(1);
    expect(await calls[1]).toEqual(DONE);
    expect(await results.next()).toEqual(DONE);
    expect(listeners(controller.signal)).toBe(0);
  });

  test('rejects when its signal was aborted while nobody asked', async () => {
    const controller = new AbortController();
    const { pool, results, use } = await begun(kind, { signal: controller.signal });
    controller.abort();
    await until(() => pool.stats().inFlight === 0 && use.returned === 1, 'all has ended');
    expect(await rejection(results.next())).toMatchObject({ code: 'ABORT_ERR' });
    expect(await results.next()).toEqual(DONE);
  });

  test('tells nobody of its signal who has ended it themselves', async () => {
    const controller = new AbortController();
    const { results } = await begun(kind, { signal: controller.signal });
    controller.abort();
    expect(await results.return()).toEqual(DONE);
    expect(await results.next()).toEqual(DONE);
  });

  test('rejects, and pulls nothing, when its signal was aborted before', async () => {
    const pool = open({ threads: 1 });
    const { source, use } = watched(kind, forever([]));
    const results = pool.map(noop, source, { signal: AbortSignal.abort('already') });
    expect(await rejection(results.next())).toMatchObject({ code: 'ABORT_ERR', cause: 'already' });
    expect(await results.next()).toEqual(DONE);
    expect(use).toEqual({ opened: 1, pulled: 0, overlaps: 0, returned: 1 });
    expect(pool.stats().threadsStarted).toBe(0);
  });

  test('rejects in its turn with what a task ends with, and cancels the rest', async () => {
    const pool = open({ threads: 1 });
    const paths = ['package.json', '/no/such/file', 'package.json', '/no/such/file/either'];
    const { source, use } = watched(kind, paths);
    const results = pool.map(readFile, source, { concurrency: 3 });
    const held = await hold(pool);
    const calls = [results.next(), results.next(), results.next()] as const;
    await until(() => use.pulled === 3, 'all that may be are pulled');
    await held.release();
    expect((await calls[0]).done).toBe(false);
    expect(await rejection(calls[1])).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', path: '/no/such/file' });
    expect(await calls[2]).toEqual(DONE);
    expect(pool.stats()).toMatchObject(IDLE);
    expect(use.returned).toBe(1);
  });

  test('rejects with what a task ends with, whichever it is, where order does not matter', async () => {
    const pool = open({ threads: 2 });
    const slow = gated(inFolder(kind));
    const { source, use } = watched(kind, [slow.path, ...Array<string>(9).fill('/no/such/file')]);
    const results = pool.map(readFile, source, { ordered: false });
    const error = rejection(results.next());
    await until(() => use.returned === 1, 'it has ended its source');
    await until(() => pool.stats().inFlight === 1, 'only the slow one is left');
    await slow.end().catch(() => {}); // nobody may be there to read it any more
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', path: '/no/such/file' });
    expect(await results.next()).toEqual(DONE);
    expect(pool.stats()).toMatchObject(IDLE);
  });

  test('does not hand out what else is there then', async () => {
    const pool = open({ threads: 1 });
    const good = Array<string>(3).fill('package.json');
    const { source, use } = watched(kind, [...good, '/no/such/file', ...good]);
    const results = pool.map(readFile, source, { ordered: false, concurrency: 4 });
    expect((await results.next()).done).toBe(false);
    await until(() => use.returned === 1, 'it has failed, and ended its source');
    expect(await rejection(results.next())).toMatchObject({ path: '/no/such/file' });
  });

  test('rejects when an item takes longer than it may', async () => {
    const pool = open({ threads: 1 });
    const { source, use } = watched(kind, forever(60_000));
    const results = pool.map(spin, source, { timeoutMs: 5, concurrency: 3 });
    expect(await rejection(results.next())).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    expect(pool.stats()).toMatchObject(IDLE);
    expect(use.returned).toBe(1);
  });

  test('rejects when the pool is full, or closed', async () => {
    const pool = open({ threads: 1, capacity: 1 });
    const { source } = watched(kind, forever(60_000));
    const full = pool.map(spin, source, { concurrency: 10, ordered: false });
    expect(await rejection(full.next())).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    expect(pool.stats()).toMatchObject(IDLE);
    await pool.close();
    const { source: another, use } = watched(kind, forever(0));
    expect(await rejection(pool.map(spin, another).next())).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(use.returned).toBe(1);
  });
});

test('a map that is to fail in a while runs nothing more until then', async () => {
  const pool = open({ threads: 2 });
  const slow = gated(inFolder('slow'));
  let give: ((step: IteratorResult<string>) => void) | undefined;
  const steps = [slow.path, '/no/such/file'].map((value) => Promise.resolve({ value, done: false }));
  const next = () => steps.shift() ?? new Promise<IteratorResult<string>>((resolve) => (give = resolve));
  const results = pool.map(readFile, { [Symbol.asyncIterator]: () => ({ next }) }, { concurrency: 10 });
  const first = results.next();
  await until(() => pool.stats().rejected === 1 && give !== undefined, 'the second has failed, the third is asked for');
  give?.({ value: 'package.json', done: false });
  for (let i = 0; i < 10; ++i) await setImmediate();
  await slow.end();
  expect(String((await first).value)).toBe(slow.path);
  expect(await rejection(results.next())).toMatchObject({ path: '/no/such/file' });
  expect(pool.stats()).toMatchObject({ ...IDLE, fulfilled: 1, rejected: 1, cancelled: 0 });
});

describe('a map that has ended', () => {
  test('leaves no listener, however it ended', async () => {
    const pool = open({ threads: 2 });
    const { signal } = new AbortController();
    const endings: Array<(items: Iterable<number>) => Promise<unknown>> = [
      async (items) => {
        const results = pool.map(spin, items, { signal });
        expect(listeners(signal)).toBe(0);
        const first = results.next();
        expect(listeners(signal)).toBe(1);
        await first;
        for await (const _ of results);
      },
      async (items) => {
        for await (const _ of pool.map(spin, items, { signal })) break;
      },
      (items) => rejection(pool.map(spin, [...items, -1], { signal, ordered: false }).next()),
      async (items) => {
        const results = pool.map(spin, items, { signal });
        await results.return();
        await results.next();
      },
      async (items) => {
        const results = pool.map(spin, items, { signal });
        for (const _ of items) await results.next(); // and does not ask for the end
      },
    ];
    for (const ending of endings) {
      await ending([0, 0, 0]);
      await until(() => listeners(signal) === 0, 'the listener is gone');
    }
  });

  test('shares one listener with all others that had its signal', async () => {
    const pool = open({ threads: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const maps = Array.from({ length: 100 }, () => pool.map(sleep, forever(60_000), { signal }));
    const errors = Promise.all(maps.map((results) => rejection(results.next())));
    expect(listeners(signal)).toBe(1);
    controller.abort();
    for (const error of await errors) expect(error).toMatchObject({ code: 'ABORT_ERR' });
    expect(listeners(signal)).toBe(0);
    expect(pool.stats()).toMatchObject(IDLE);
  });

  test('has waited for what cannot be stopped', async () => {
    const pool = open({ threads: 1 });
    const results = pool.map(scrypt, forever(['a', 'b', 32, { N: 2 ** 14 }] as const), { concurrency: 3 });
    const pending = results.next();
    await until(() => pool.stats().running === 1, 'it derives');
    await results.return();
    expect(pool.stats()).toMatchObject(IDLE);
    expect(await pending).toEqual(DONE);
  });

  test('has ended the map that was its source', async () => {
    const pool = open({ threads: 2 });
    const { source, use } = watched('async', forever('package.json'));
    for await (const text of pool.map(toBase64, pool.map(readFile, source))) {
      expect(text).toHaveLength(4 * Math.ceil(statSync('package.json').size / 3));
      break;
    }
    expect(pool.stats()).toMatchObject(IDLE);
    expect(use.returned).toBe(1);

    const controller = new AbortController();
    const { signal } = controller;
    const waiting = pool.map(sleep, pool.map(sleep, forever(60_000)) as unknown as AsyncIterable<number>, { signal });
    const error = rejection(waiting.next());
    await until(() => pool.stats().inFlight === 4, 'the inner one is at work');
    controller.abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
    expect(pool.stats()).toMatchObject(IDLE);
  });

  test('does not take the pool along', async () => {
    const { pool, results } = await begun('sync');
    const other = pool.run(hash, ['sha256', 'abc']);
    await results.return();
    expect(await other).toHaveLength(32);
  });

  test('leaves no rejection that nobody handles, however it ended', async () => {
    const outcome = await runProgram(`
      import { Pool } from 'offloop';
      import { noop, readFile, sleep, spin } from 'offloop/ops';
      const pool = new Pool({ threads: 2 });
      const turn = () => new Promise((go) => setTimeout(go, 5));
      const options = { concurrency: 20 };
      function* bad() { try { for (;;) yield '/no/such/file'; } finally { throw new Error('on purpose'); } }
      async function* failing() { for (let i = 0; i < 30; ++i) yield 0; throw new Error('on purpose'); }
      for (const ordered of [true, false]) {
        await pool.map(readFile, bad(), { ...options, ordered }).next().catch(() => {});
        await turn();
        for await (const _ of pool.map(spin, failing(), { ...options, ordered })) break;
        const controller = new AbortController();
        const results = pool.map(sleep, [0, ...Array(50).fill(60_000)], { ...options, ordered, signal: controller.signal });
        await results.next();
        controller.abort(); // and nobody asks again
        await turn();
        const left = pool.map(readFile, Array(50).fill('/no/such/file'), { ...options, ordered });
        left.next().catch(() => {}); // the others fail too
        await turn();
        pool.map(noop, bad(), options);
      }
      console.log(pool.stats().inFlight);
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });
});
