import { AsyncLocalStorage, createHook, executionAsyncId, triggerAsyncId } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Pool, PoolOptions, RunOptions } from '../lib/index.js';
import { hash, noop, pbkdf2, readFile, sleep, spin } from '../lib/ops.js';
import { hold, until } from './support/gate.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';

/** A way in which a task can end. */
interface Path {
  what: string;
  end: string;
  pool?: PoolOptions;
  run: (pool: Pool, signal: AbortSignal) => Promise<unknown>;
  /** The thread is taken when the task is run. */
  waits?: boolean;
  /** What somebody else does then. */
  meanwhile?: (pool: Pool, controller: AbortController) => unknown;
}

const unstoppable = ['password', 'salt', 100_000, 64, 'sha512'] as [string, string, number, number, string];
const short = (pool: Pool, options?: RunOptions) => pool.run(hash, ['md5', ''], options);
const runs = (pool: Pool) => until(() => pool.stats().running === 1, 'it runs');

const paths: Path[] = [
  { what: 'fulfilled', end: 'a value', run: (pool) => short(pool) },
  { what: 'fulfilled, of a task without arguments', end: 'a value', run: (pool) => pool.run(noop) },
  { what: 'fulfilled, of a task with options', end: 'a value', run: (pool, signal) => short(pool, { signal }) },
  { what: 'fulfilled after a sleep', end: 'a value', run: (pool) => pool.run(sleep, [2]) },
  { what: 'failed', end: 'ERR_OFFLOOP_SYSTEM', run: (pool) => pool.run(readFile, ['/no/such/file']) },
  {
    what: 'refused',
    end: 'ERR_OFFLOOP_QUEUE_FULL',
    pool: { capacity: 1 },
    waits: true,
    run(pool) {
      void pool.run(noop);
      return short(pool);
    },
  },
  {
    what: 'dropped',
    end: 'ERR_OFFLOOP_DROPPED',
    pool: { capacity: 1, overflow: 'drop-oldest' },
    waits: true,
    run: (pool) => short(pool),
    meanwhile: (pool) => void pool.run(noop),
  },
  {
    what: 'aborted before it was run',
    end: 'ABORT_ERR',
    run: (pool) => short(pool, { signal: AbortSignal.abort() }),
  },
  {
    what: 'aborted in the queue',
    end: 'ABORT_ERR',
    waits: true,
    run: (pool, signal) => short(pool, { signal }),
    meanwhile: (_, controller) => controller.abort(),
  },
  {
    what: 'aborted while it runs and cannot stop',
    end: 'ABORT_ERR',
    run: (pool, signal) => pool.run(pbkdf2, unstoppable, { signal }),
    meanwhile: (pool, controller) => runs(pool).then(() => controller.abort()),
  },
  {
    what: 'not begun by its deadline',
    end: 'ERR_OFFLOOP_DEADLINE',
    waits: true,
    run: (pool) => short(pool, { deadlineMs: 5 }),
  },
  {
    what: 'out of time',
    end: 'ERR_OFFLOOP_TIMEOUT',
    run: (pool) => pool.run(spin, [60_000], { timeoutMs: 5 }),
  },
  {
    what: 'out of time, asleep',
    end: 'ERR_OFFLOOP_TIMEOUT',
    run: (pool) => pool.run(sleep, [60_000], { timeoutMs: 5 }),
  },
  {
    what: 'over its budget',
    end: 'ERR_OFFLOOP_BUDGET',
    run: (pool) => pool.run(spin, [60_000], { cpuBudgetMs: 5 }),
  },
  {
    what: 'cancelled in the queue by a close',
    end: 'ERR_OFFLOOP_CANCELLED',
    waits: true,
    run: (pool) => short(pool),
    meanwhile: (pool) => void pool.close({ cancel: true }),
  },
  {
    what: 'cancelled on a thread by a close',
    end: 'ERR_OFFLOOP_CANCELLED',
    run: (pool) => pool.run(spin, [60_000]),
    meanwhile: (pool) => runs(pool).then(() => void pool.close({ cancel: true })),
  },
  {
    what: 'run on a closed pool',
    end: 'ERR_OFFLOOP_CLOSED',
    run(pool) {
      void pool.close();
      return short(pool);
    },
  },
];

/** Runs the path's task by `run`, in the caller's context, and lets it end in another. */
async function follow<T>(path: Path, run: (start: () => Promise<unknown>) => Promise<T>): Promise<T> {
  const pool = open({ threads: 1, ...path.pool });
  const held = path.waits ? await hold(pool) : undefined;
  const controller = new AbortController();
  const result = run(() => path.run(pool, controller.signal));
  await storage.run('somebody else', async () => {
    await path.meanwhile?.(pool, controller);
  });
  const value = await result;
  await held?.release();
  await pool.drain();
  return value;
}

const storage = new AsyncLocalStorage<string>();
const endOf = (outcome: unknown) => (outcome instanceof Error ? (outcome as { code?: string }).code : 'a value');

describe('AsyncLocalStorage: the store of whoever awaits is there', () => {
  test.each(paths)('where the task is $what', async (path) => {
    const seen = await follow(path, (start) =>
      storage.run('mine', async () => {
        const stores: unknown[] = [];
        const note = (outcome: unknown) => {
          stores.push(storage.getStore());
          return outcome;
        };
        const promise = start();
        const others = storage.run('theirs', () => promise.then(note, note).finally(() => note(0)));
        const ends = [promise.then(note, note), promise.catch(note), promise.finally(() => note(0)).catch(note)];
        const outcome = await promise.catch((error) => error);
        note(0);
        await Promise.all(ends);
        await others;
        return { outcome, stores };
      }),
    );
    expect(endOf(seen.outcome)).toBe(path.end);
    expect(seen.stores.toSorted()).toEqual([...Array(seen.stores.length - 2).fill('mine'), 'theirs', 'theirs']);
  });
});

describe('async_hooks: what follows runs as the promise that waits, triggered by the one that settled', () => {
  const ids = new WeakMap<object, number>();
  const hook = createHook({
    init(asyncId, type, _trigger, resource) {
      if (type === 'PROMISE') ids.set(resource, asyncId);
    },
  });
  beforeEach(() => void hook.enable());
  afterEach(() => void hook.disable());

  test.each(paths)('where the task is $what', async (path) => {
    await follow(path, async (start) => {
      const promise = start();
      let seen: number[] = [];
      const note = () => {
        seen = [executionAsyncId(), triggerAsyncId()];
      };
      const next = promise.then(note, note);
      await next;
      expect(seen).toEqual([ids.get(next), ids.get(promise)]);
      expect(seen[0]).toBeGreaterThan(0);
    });
  });
});

test('async_hooks: before and after come in pairs, whatever settles, and the loop ends outside of all', async () => {
  const outcome = await runProgram(`
    import { createHook, executionAsyncId } from 'node:async_hooks';
    import { writeSync } from 'node:fs';
    const stack = [];
    const types = new Map();
    let entered = 0;
    let wrong = 0;
    createHook({
      init(id, type) {
        types.set(id, type);
      },
      before(id) {
        stack.push(id);
        if (types.get(id) === 'offloop') ++entered;
      },
      after(id) {
        if (stack.pop() !== id) ++wrong;
      },
    }).enable();
    const { Pool } = await import('offloop');
    const { hash, noop, readFile, sleep, spin } = await import('offloop/ops');
    const pool = new Pool({ threads: 2, capacity: 100, overflow: 'drop-oldest' });
    const other = new Pool({ threads: 1, capacity: 10 });
    const ends = new Map();
    const note = (end) => {
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (executionAsyncId() === 0 || stack.at(-1) !== executionAsyncId()) ++wrong;
    };
    const add = (run) => run.then(() => note('ok'), ({ code }) => note(code));
    const all = [];
    for (let round = 0; round < 20; ++round) {
      const controller = new AbortController();
      const { signal } = controller;
      all.push(add(pool.run(spin, [60_000], { timeoutMs: 1 })), add(pool.run(spin, [60_000], { cpuBudgetMs: 1 })));
      for (let i = 0; i < 20; ++i) {
        all.push(
          add(pool.run(noop)), add(pool.run(hash, ['md5', 'x'])), add(pool.run(sleep, [1])),
          add(pool.run(noop, [], { signal })), add(pool.run(noop, [], { deadlineMs: 0 })),
          add(other.run(readFile, ['/no/such/file'])),
        );
      }
      setImmediate(() => controller.abort());
      if (round % 2) await all.at(-1);
    }
    await Promise.all(all);
    const last = other.run(sleep, [60_000]);
    all.push(add(last));
    await other.close({ cancel: true });
    all.push(add(other.run(noop)));
    await Promise.all(all);
    process.on('exit', () => {
      const codes = [...ends.keys()].map((code) => code.replace('ERR_OFFLOOP_', '')).sort().join(' ');
      writeSync(1, JSON.stringify({ wrong, entered: entered > 0, codes }));
    });
  `);
  expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(outcome.stdout)).toEqual({
    wrong: 0,
    entered: true,
    codes: 'ABORT_ERR BUDGET CANCELLED CLOSED DEADLINE DROPPED QUEUE_FULL SYSTEM TIMEOUT ok',
  });
});

test('an AsyncResource that offloop makes is named after it, and made once', async () => {
  const outcome = await runProgram(`
    import { createHook } from 'node:async_hooks';
    const made = [];
    createHook({ init: (id, type) => void made.push(type) }).enable();
    const { Pool } = await import('offloop');
    const { noop } = await import('offloop/ops');
    const pool = new Pool();
    for (let i = 0; i < 100; ++i) await Promise.all([pool.run(noop), pool.run(noop, [], { timeoutMs: 1000 })]);
    await pool.close();
    console.log(made.filter((type) => /offloop|Microtask|Immediate/.test(type)).join());
  `);
  expect(outcome).toMatchObject({ code: 0, stdout: 'offloop\n', stderr: '' });
});
