import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { stat as statOfNode } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';
import { runProgram } from './support/program.js';

/** A pause that gives the loop no chance to turn. */
function block(ms: number, enough = () => false): void {
  const end = performance.now() + ms;
  while (performance.now() < end && !enough());
}

describe.each(doorbells)("with the doorbell '%s'", (doorbell) => {
  let offloop: Offloop;
  let pool: Pool;
  beforeAll(async () => {
    offloop = await loadOffloop(doorbell);
    pool = new offloop.Pool({ threads: 2, capacity: 500_000 });
  });
  afterAll(() => pool.close());

  describe('the loop', () => {
    test('serves timers and immediates during a flood of completions', async () => {
      let left = 300_000;
      let immediates = 0;
      let timers = 0;
      const finished = new Promise<void>((resolve) => {
        const done = () => void (--left === 0 && resolve());
        for (let i = 0; i < 300_000; ++i) pool.run(offloop.noop).then(done);
      });
      const timer = setInterval(() => ++timers, 1);
      const turn = () => {
        ++immediates;
        if (left > 0) setImmediate(turn);
      };
      setImmediate(turn);
      await finished;
      clearInterval(timer);
      expect(immediates).toBeGreaterThan(3);
      expect(timers).toBeGreaterThan(3);
    });

    test('when it is blocked, does not hold up what was submitted before: the threads work meanwhile', async () => {
      const runs = [pool.run(offloop.spin, [20]), pool.run(offloop.spin, [20])];
      block(5000, () => {
        const { queued, running } = pool.stats();
        return queued + running === 0;
      });
      expect(pool.stats()).toMatchObject({ queued: 0, running: 0, inFlight: 2 });
      await Promise.all(runs);
    });

    test('when it is blocked, sees a file being written', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'offloop-'));
      const path = join(folder, 'written');
      const run = pool.run(offloop.writeFile, [path, 'while you block']);
      block(5000, () => existsSync(path));
      expect(existsSync(path)).toBe(true);
      await run;
      rmSync(folder, { recursive: true });
    });

    test('may be blocked again and again while tasks come home', async () => {
      const runs = Array.from({ length: 50 }, (_, i) => pool.run(offloop.sleep, [i]));
      for (let i = 0; i < 10; ++i) {
        block(5);
        await pool.run(offloop.noop);
      }
      await Promise.all(runs);
    });
  });

  describe('what follows an await', () => {
    /** What happens in which order after a promise of the loop has settled. */
    async function orderAfter(promise: Promise<unknown>): Promise<string[]> {
      const order: string[] = [];
      await promise;
      const immediate = new Promise((resolve) => setImmediate(resolve)).then(() => order.push('immediate'));
      process.nextTick(() => order.push('tick'));
      queueMicrotask(() => order.push('microtask'));
      for (let i = 0; i < 3; ++i) await undefined;
      order.push('awaits');
      await immediate;
      return order;
    }

    test('comes in the same order as after a promise of Node', async () => {
      const expected = await orderAfter(statOfNode('.'));
      expect(expected).toEqual(['microtask', 'awaits', 'tick', 'immediate']);
      expect(await orderAfter(pool.run(offloop.noop))).toEqual(expected);
      expect(await orderAfter(pool.run(offloop.sleep, [5]))).toEqual(expected);
      expect(await orderAfter(pool.run(offloop.stat, ['.']))).toEqual(expected);
    });

    test('has the AsyncLocalStorage of whoever awaited', async () => {
      const storage = new AsyncLocalStorage<number>();
      const controller = new AbortController();
      const tasks = [
        () => pool.run(offloop.noop),
        () => pool.run(offloop.hash, ['sha256', 'x']),
        () => pool.run(offloop.stat, ['.']),
        () => pool.run(offloop.readFile, ['/no/such/file']).catch(() => storage.getStore()),
        () => pool.run(offloop.sleep, [60_000], { signal: controller.signal }).catch(() => storage.getStore()),
      ];
      const runs = Array.from({ length: 1000 }, (_, i) =>
        storage.run(i, async () => {
          const caught = await tasks[i % tasks.length]?.();
          const seen = [storage.getStore()];
          await pool.run(offloop.noop).then(() => seen.push(storage.getStore()));
          return seen.every((store) => store === i) && (typeof caught !== 'number' || caught === i);
        }),
      );
      storage.run(-1, () => setImmediate(() => controller.abort()));
      expect((await Promise.all(runs)).every(Boolean)).toBe(true);
    });
  });

  describe('the process', () => {
    const imports = `import { Pool, run } from 'offloop'; import { noop, sleep, spin, hash } from 'offloop/ops';`;
    const program = (source: string) => runProgram(imports + source, { doorbell, timeoutMs: 8000 });

    test.each([
      ['a task sleeps', `sleep(150).then(() => console.log('done'));`],
      ['a task runs', `spin(150).then(() => console.log('done'));`],
      [
        'a second task follows a first',
        `noop().then(() => sleep(50)).then(() => noop()).then(() => console.log('done'));`,
      ],
      [
        'tasks wait for room',
        `const pool = new Pool({ threads: 1, capacity: 1, overflow: 'wait' });
         Promise.all(Array.from({ length: 20 }, () => pool.run(spin, [2]))).then(() => console.log('done'));`,
      ],
      [
        'a pool drains',
        `const pool = new Pool(); pool.run(sleep, [50]); pool.drain().then(() => console.log('done'));`,
      ],
      ['a pool closes', `const pool = new Pool(); await pool.run(noop); pool.close().then(() => console.log('done'));`],
      [
        'what comes before the exit starts another',
        `let first = true;
         process.on('beforeExit', () => first && ((first = false), sleep(30).then(() => console.log('done'))));`,
      ],
      [
        'a signal of the runtime is all that ends a task',
        `
         sleep(600_000, { signal: AbortSignal.timeout(50) }).catch(() => console.log('done'));`,
      ],
    ])('stays alive while %s, and ends after', async (_what, source) => {
      expect(await program(source)).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
    });

    test.each([
      ['nothing was ever run', `new Pool(); new Pool({ latency: 'low' });`],
      [
        'a pool is idle',
        `const pool = new Pool({ threads: 4 }); await Promise.all([1, 2, 3, 4].map(() => pool.run(spin, [1])));`,
      ],
      ['a pool has been closed', `const pool = new Pool(); await pool.run(noop); await pool.close();`],
      ['the default pool has been used', `await run(noop);`],
      [
        'every task was aborted',
        `
         const controller = new AbortController();
         for (const task of [sleep, spin, sleep]) task(600_000, { signal: controller.signal }).catch(() => {});
         setTimeout(() => controller.abort(), 20);`,
      ],
    ])('does not stay alive when %s', async (_what, source) => {
      const outcome = await program(source);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' });
      expect(outcome.ms).toBeLessThan(5000);
    });

    test('ends at the first error that nobody catches, and goes on when somebody does', async () => {
      const throwing = `
        let settled = 0;
        const runs = Array.from({ length: 1000 }, (_, i) => noop().then(() => {
          ++settled;
          if (i === 10) process.nextTick(() => { throw new Error('from a tick'); });
          if (i === 20) queueMicrotask(() => { throw new Error('from a microtask'); });
        }));`;
      const uncaught = await program(throwing);
      expect(uncaught).toMatchObject({ code: 1, signal: null });
      expect(uncaught.stderr).toMatch(/Error: from a (tick|microtask)/);
      const caught = await program(`
        const seen = [];
        process.on('uncaughtException', (error) => seen.push(error.message));
        ${throwing}
        Promise.all(runs).then(() => sleep(20)).then(() => console.log(settled, seen.sort().join()));`);
      expect(caught).toMatchObject({ code: 0, stdout: '1000 from a microtask,from a tick\n', stderr: '' });
    });
  });
});
