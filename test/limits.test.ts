import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pool, type RunOptions } from '../lib/index.js';
import { hash, noop, pbkdf2, readFile, sleep, spin, unlink, writeFile } from '../lib/ops.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';

const LIMITS = ['deadlineMs', 'timeoutMs', 'cpuBudgetMs'] as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offloop-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Keeps the loop from turning. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Half a second of work at least, which looks at no stop flag. */
const unstoppable = ['password', 'salt', 1_000_000, 64, 'sha512'] as [string, string, number, number, string];

describe.each(LIMITS)('%s', (limit) => {
  test.each([
    ['not a number', Number.NaN, RangeError],
    ['negative', -0.001, RangeError],
    ['minus infinity', -Infinity, RangeError],
    ['text', '5', TypeError],
    ['null', null, TypeError],
    ['a bigint', 5n, TypeError],
    ['an object', {}, TypeError],
  ] as const)('that is %s throws at once', (_what, value, kind) => {
    const pool = open({ threads: 1 });
    const run = () => pool.run(noop, [], { [limit]: value } as never);
    expect(run).toThrow(kind);
    expect(run).toThrow(`"options.${limit}"`);
    expect(pool.stats()).toMatchObject({ threadsStarted: 0, inFlight: 0 });
  });

  test.each([Infinity, Number.MAX_VALUE, 9e12, undefined])('of %s is no limit', async (value) => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const runs = [pool.run(hash, ['md5', ''], { [limit]: value }), pool.run(sleep, [1], { [limit]: value })];
    await held.release();
    await Promise.all(runs);
    expect(pool.stats()).toMatchObject({ fulfilled: 2, expired: 0, timedOut: 0, overBudget: 0 });
  });

  test('changes nothing for ten thousand tasks that keep it', async () => {
    const pool = open({ threads: 2 });
    await Promise.all(Array.from({ length: 10_000 }, () => pool.run(noop, [], { [limit]: 20_000 })));
    const failing = await rejection(pool.run(unlink, ['/no/such/file'], { [limit]: 20_000 }));
    expect(failing).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'unlink' });
    expect(pool.stats()).toMatchObject({ fulfilled: 10_000, rejected: 1, expired: 0, timedOut: 0, overBudget: 0 });
  });
});

describe('a deadline', () => {
  test('that comes before the task begins rejects it then, while the thread is busy, and it never runs', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const path = join(folder, 'too-late');
    const submitted = performance.now();
    const error = await rejection(pool.run(writeFile, [path, 'text'], { deadlineMs: 30.5 }));
    const waited = performance.now() - submitted;
    expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_DEADLINE', task: 'writeFile' });
    expect(waited).toBeGreaterThan(30.4);
    expect(waited).toBeLessThan(5000);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 0, inFlight: 1, expired: 1, rejected: 0 });
    await held.release();
    await pool.run(noop);
    expect(existsSync(path)).toBe(false);
  });

  test('of 0 has always passed, though the thread is free', async () => {
    const pool = open({ threads: 1 });
    await pool.run(noop);
    const path = join(folder, 'never');
    const runs = Array.from({ length: 50 }, () => rejection(pool.run(writeFile, [path, 'text'], { deadlineMs: 0 })));
    for (const error of await Promise.all(runs)) expect(error.code).toBe('ERR_OFFLOOP_DEADLINE');
    expect(pool.stats()).toMatchObject({ expired: 50, fulfilled: 1 });
    expect(existsSync(path)).toBe(false);
  });

  test('of less than a millisecond is not 0', async () => {
    const pool = open({ threads: 1, latency: 'low' });
    let begun = 0;
    const note = () => void ++begun;
    await until(() => {
      pool.run(noop, [], { deadlineMs: 0.9 }).then(note, () => {});
      return begun > 0;
    }, 'one of many begins in time');
  });

  test('does not touch a task that has begun', async () => {
    const pool = open({ threads: 2 });
    await Promise.all([pool.run(spin, [5]), pool.run(spin, [5])]); // so that both threads have been started
    await Promise.all([spin, sleep].map((task) => pool.run(task, [600], { deadlineMs: 400 })));
    expect(pool.stats()).toMatchObject({ fulfilled: 4, expired: 0 });
  });

  test('counts from the call, whatever the caller does until the task leaves JavaScript', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const path = join(folder, 'while-you-block');
    const late = rejection(pool.run(writeFile, [path, 'text'], { deadlineMs: 20 }));
    block(40);
    await held.release();
    expect(await late).toMatchObject({ code: 'ERR_OFFLOOP_DEADLINE' });
    expect(existsSync(path)).toBe(false);
  });

  test('takes its own task out, and leaves the others in order', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const late: Promise<Error & Record<string, unknown>>[] = [];
    const others = Array.from({ length: 300 }, (_, i) => {
      late.push(rejection(pool.run(noop, [], { deadlineMs: 5 + ((i * 7) % 31), priority: i % 256 })));
      return [i, pool.run(noop)] as const;
    });
    const order = inOrder(others);
    for (const error of await Promise.all(late)) expect(error.code).toBe('ERR_OFFLOOP_DEADLINE');
    expect(pool.stats()).toMatchObject({ queued: 300, expired: 300, running: 1 });
    await held.release();
    expect(await order).toEqual(others.map(([i]) => i));
  });
});

describe('a timeout', () => {
  test('is of run time: a task that waits does not use it up', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const run = pool.run(noop, [], { timeoutMs: 200 });
    await pause(250);
    await held.release();
    expect(await run).toBeUndefined();
    expect(pool.stats()).toMatchObject({ timedOut: 0, fulfilled: 1 });
  });

  test('rejects at once where the body cannot stop, and its thread and its late result do no harm', async () => {
    const pool = open({ threads: 1 });
    const error = await rejection(pool.run(pbkdf2, unstoppable, { timeoutMs: 20 }));
    expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_TIMEOUT', task: 'pbkdf2' });
    expect(pool.stats()).toMatchObject({ running: 1, inFlight: 1, timedOut: 1, rejected: 1 });
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ threadsStarted: 1, inFlight: 0, timedOut: 1, rejected: 1, fulfilled: 1 });
  });

  test.each([0, 0.5, 20])('of %d ms stops a body that looks at its flag, and frees its thread', async (timeoutMs) => {
    const pool = open({ threads: 1 });
    const began = performance.now();
    const error = await rejection(pool.run(spin, [60_000], { timeoutMs }));
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT', task: 'spin' });
    expect(performance.now() - began).toBeGreaterThan(timeoutMs);
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ running: 0, inFlight: 0, timedOut: 1, fulfilled: 1 });
  });

  test('ends sleeps, each at its own time', async () => {
    const pool = open({ threads: 1 });
    // So far apart that it does not matter when each begins.
    const waits = Array.from({ length: 20 }, (_, i) => 20 + ((i * 7) % 20) * 25);
    const order = inOrder(waits.map((timeoutMs) => [timeoutMs, pool.run(sleep, [60_000], { timeoutMs })]));
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ running: 0, inFlight: 20 });
    expect(await order).toEqual(waits.toSorted((a, b) => a - b));
    expect(pool.stats()).toMatchObject({ timedOut: 20, rejected: 20, inFlight: 0 });
  });

  test('that is longer than the sleep does not matter', async () => {
    const pool = open({ threads: 1 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => pool.run(sleep, [i], { timeoutMs: 20_000 })));
    expect(pool.stats()).toMatchObject({ timedOut: 0, fulfilled: 50 });
  });
});

describe('a budget of processor time', () => {
  test('is used up by a body that burns it', async () => {
    const pool = open({ threads: 1 });
    const began = performance.now();
    const error = await rejection(pool.run(spin, [60_000], { cpuBudgetMs: 20.5 }));
    expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_BUDGET', task: 'spin' });
    expect(performance.now() - began).toBeGreaterThan(20);
    await pool.run(noop);
    const { overBudget, timedOut, rejected, inFlight, cpuNs } = pool.stats();
    expect({ overBudget, timedOut, rejected, inFlight }).toEqual({
      overBudget: 1,
      timedOut: 0,
      rejected: 1,
      inFlight: 0,
    });
    expect(cpuNs.max).toBeGreaterThan(20e6);
    expect(cpuNs.max).toBeLessThan(2000e6);
  });

  test('rejects at once where the body cannot stop', async () => {
    const pool = open({ threads: 1 });
    const error = await rejection(pool.run(pbkdf2, unstoppable, { cpuBudgetMs: 20 }));
    expect(error.code).toBe('ERR_OFFLOOP_BUDGET');
    expect(pool.stats()).toMatchObject({ running: 1, overBudget: 1 });
    await pool.drain();
    expect(pool.stats()).toMatchObject({ running: 0, overBudget: 1, rejected: 1, fulfilled: 0 });
  });

  test("is the pool's for tasks that name none", async () => {
    const pool = open({ threads: 1, cpuBudgetMs: 30 });
    const own: RunOptions[] = [{ cpuBudgetMs: Infinity }, { cpuBudgetMs: 60_000 }];
    await Promise.all(own.map((options) => pool.run(spin, [100], options)));
    const others: Array<RunOptions | undefined> = [undefined, {}, { priority: 'high' }, { cpuBudgetMs: undefined }];
    for (const error of await Promise.all(others.map((options) => rejection(pool.run(spin, [60_000], options))))) {
      expect(error.code).toBe('ERR_OFFLOOP_BUDGET');
    }
    expect(pool.stats()).toMatchObject({ overBudget: 4, fulfilled: 2 });
  });

  test.each([Number.NaN, -1, '5', null])('of a pool cannot be %s', (cpuBudgetMs) => {
    expect(() => new Pool({ cpuBudgetMs } as never)).toThrow('"options.cpuBudgetMs"');
  });

  test('is not used up by waiting in a system call', async () => {
    const pool = open({ threads: 1 });
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const run = pool.run(readFile, [path], { cpuBudgetMs: 30 });
    await until(() => pool.stats().running === 1, 'it waits for a writer');
    await pause(100);
    const writer = openSync(path, constants.O_WRONLY); // returns when the reader is there
    await pause(100);
    writeSync(writer, 'at last');
    closeSync(writer);
    expect(String(await run)).toBe('at last');
    expect(pool.stats()).toMatchObject({ overBudget: 0, fulfilled: 1 });
    expect(pool.stats().runNs.max).toBeGreaterThan(200e6);
    expect(pool.stats().cpuNs.max).toBeLessThan(30e6);
  });

  test('is not used up by sleeping', async () => {
    const pool = open({ threads: 1 });
    await pool.run(sleep, [150], { cpuBudgetMs: 30 });
    expect(pool.stats()).toMatchObject({ overBudget: 0, fulfilled: 1 });
  });
});
