import { describe, expect, test } from 'vitest';
import { doorbells } from './support/offloop.js';
import { type ProgramOptions, runProgram } from './support/program.js';

/** What the programs below can use. */
const PRELUDE = `
  import { once } from 'node:events';
  import { readdirSync, readFileSync } from 'node:fs';
  import { readFile } from 'node:fs/promises';
  import { Worker } from 'node:worker_threads';
  import { Pool } from 'offloop';
  import { noop, scrypt, sleep, spin } from 'offloop/ops';
  import { workForever, workToTheEnd } from './test/support/node-work.mjs';
  const spawn = (ending, ms = 600_000) =>
    new Worker('./test/support/node-worker.mjs', { workerData: { ending, ms }, execArgv: [] });
  const spinForever = (pool) => { for (let i = 0; i < 9; ++i) pool.run(spin, [600_000]).catch(() => {}); };
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const threads = () => readdirSync('/proc/self/task').map((id) => {
    try {
      return id + ' ' + readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trimEnd();
    } catch {
      return 'gone';
    }
  });
`;

describe.each(doorbells)("a share in Node's pool, with the doorbell '%s'", (doorbell) => {
  /** One that takes longer than 8 s to end hangs, and is killed. */
  const program = (source: string, options: ProgramOptions = {}) =>
    runProgram(PRELUDE + source, { doorbell, timeoutMs: 8000, ...options });

  test('starts no thread, whatever it is asked to do', async () => {
    const outcome = await program(`
      await Promise.all(Array.from({ length: 16 }, () => readFile('package.json'))); // Node's threads
      const before = threads();
      const pool = Pool.node();
      const code = (run) => run.then(() => 'done', ({ code }) => code);
      const ends = await Promise.all([
        code(pool.run(noop)),
        code(pool.run(sleep, [20])),
        code(pool.run(sleep, [60_000], { timeoutMs: 10 })),
        code(pool.run(spin, [60_000], { timeoutMs: 10 })),
        code(pool.run(spin, [60_000], { cpuBudgetMs: 10 })),
        code(pool.run(sleep, [60_000], { signal: AbortSignal.timeout(10) })),
        code(pool.run(noop, [], { deadlineMs: 0 })),
      ]);
      const started = threads().filter((thread) => !before.includes(thread));
      console.log(JSON.stringify({ ends, started }));
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual({
      ends: [
        'done',
        'done',
        'ERR_OFFLOOP_TIMEOUT',
        'ERR_OFFLOOP_TIMEOUT',
        'ERR_OFFLOOP_BUDGET',
        'ABORT_ERR',
        'ERR_OFFLOOP_DEADLINE',
      ],
      started: [],
    });
  });

  test('keeps the process alive for what is in flight, and no longer', async () => {
    const outcome = await program(`
      const pool = Pool.node();
      await pool.run(noop, [], { deadlineMs: 60_000, timeoutMs: 60_000, cpuBudgetMs: 60_000 });
      pool.run(sleep, [50]).then(() => console.log('slept'));
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'slept\n', stderr: '' });
  });

  describe.concurrent('on the main thread that', () => {
    test.each([
      ['ends by itself', 'await workToTheEnd();', 0],
      ['ends by itself with a code', 'process.exitCode = 3; await workToTheEnd();', 3],
      ['exits in the middle of work', 'await workForever(); process.exit(7);', 7],
      ['exits right after it has begun', 'workForever(); process.exit(7);', 7],
      ['exits from a continuation', 'noop({ pool: Pool.node() }).then(() => process.exit(7)); workForever();', 7],
      ['exits from a timer', 'await workForever(); setTimeout(() => process.exit(7), 5);', 7],
      ['works while it exits', "process.on('exit', () => spinForever(Pool.node())); await workToTheEnd();", 0],
      [
        'exits, and works then',
        `
        process.on('exit', () => spinForever(pool)); // before it is told, and after
        const pool = await workForever();
        process.on('exit', () => [pool, Pool.node()].forEach(spinForever));
        process.exit(7);`,
        7,
      ],
      [
        'exits with work that cannot be stopped',
        `
        const runs = [1, 2].map(() => Pool.node().run(scrypt, ['a', 'b', 32, { N: 2 ** 16, maxmem: 2 ** 28 }]));
        await pause(20);
        process.exit(7);`,
        7,
      ],
      [
        'exits beside pools of other kinds',
        `
        await workForever();
        new Pool().run(spin, [600_000]);
        Pool.shared('all').run(sleep, [600_000]);
        process.exit(7);`,
        7,
      ],
    ])('%s, the process ends with its code', async (_what, source, code) => {
      expect(await program(source)).toMatchObject({ code, signal: null, stderr: '' });
    });

    test('throws, the process ends with code 1', async () => {
      const outcome = await program("await workForever(); setTimeout(() => { throw new Error('on purpose'); });");
      expect(outcome).toMatchObject({ code: 1, signal: null });
      expect(outcome.stderr).toContain('Error: on purpose');
    });
  });

  describe.concurrent('in a worker_thread', () => {
    test('comes and goes with it, twenty times', async () => {
      const outcome = await program(
        `
        let results = 0;
        for (let i = 0; i < 20; ++i) {
          const worker = spawn('finish');
          const exit = once(worker, 'exit');
          results += (await once(worker, 'message'))[0];
          await exit;
        }
        console.log(results);
      `,
        { timeoutMs: 25_000 },
      );
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${20 * 106}\n`, stderr: '' });
    });

    test('that exits in the middle of work, does not hold it up', async () => {
      const outcome = await program(`
        for (let i = 0; i < 3; ++i) console.log(await once(spawn('exit'), 'exit'));
        console.log((await workToTheEnd()).length);
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '[ 5 ]\n[ 5 ]\n[ 5 ]\n106\n', stderr: '' });
    });

    test('that throws in the middle of work, does not hold it up', async () => {
      const outcome = await program(`
        const worker = spawn('throw');
        worker.on('error', ({ message }) => console.log(message));
        await new Promise((done) => worker.on('exit', done));
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'on purpose\n', stderr: '' });
    });

    // Only the loop tells before Node begins to wait: of the other doorbell, what runs is waited for.
    const ms = doorbell === 'loop' ? 600_000 : 300;

    test('that is terminated in the middle of work, runs nothing more', async () => {
      const outcome = await program(`
        for (let i = 0; i < 4; ++i) {
          const worker = spawn('wait', ${ms});
          await once(worker, 'message');
          console.log(await worker.terminate());
        }
        console.log((await workToTheEnd()).length);
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '1\n1\n1\n1\n106\n', stderr: '' });
    });

    test('that is terminated at any moment, does not crash', async () => {
      const outcome = await program(`
        for (let delay = 20; delay < 80; delay += 4) {
          const worker = spawn('wait', ${Math.min(ms, 50)});
          await pause(delay);
          await worker.terminate();
        }
        console.log('done');
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
    });

    test('that is in the middle of work when the main thread exits, does not hold it up', async () => {
      const outcome = await program(`
        await once(spawn('wait', ${ms}), 'message');
        process.exit(9);
      `);
      expect(outcome).toMatchObject({ code: 9, signal: null, stderr: '' });
    });

    test('that is terminated while it waits for others, takes its work back', async () => {
      const outcome = await program(`
        const worker = spawn('queue');
        await once(worker, 'message');
        const pool = Pool.node();
        for (let i = 0; i < 16; ++i) pool.run(spin, [${ms / 2}]).catch(() => {});
        worker.postMessage('go');
        console.log(...(await once(worker, 'message')), await worker.terminate());
        await pool.close({ cancel: true });
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '100 1\n', stderr: '' });
    });

    test('leaves the work of others alone when it ends', async () => {
      const outcome = await program(`
        const worker = spawn('wait', ${ms});
        const before = workToTheEnd();
        await once(worker, 'message');
        const [first, , second] = await Promise.all([before, worker.terminate(), workToTheEnd()]);
        console.log(first.length, second.length);
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '106 106\n', stderr: '' });
    });
  });
});
