import { describe, expect, test } from 'vitest';
import { doorbells } from './support/offloop.js';
import { type ProgramOptions, runProgram } from './support/program.js';
import { TASKS } from './support/work.mjs';

/** What the programs below can use. */
const PRELUDE = `
  import { once } from 'node:events';
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  import { noop } from 'offloop/ops';
  import { workForever, workToTheEnd } from './test/support/work.mjs';
  const spawn = (ending) => new Worker('./test/support/worker.mjs', { workerData: ending, execArgv: [] });
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const threads = () => readdirSync('/proc/self/task').length;
  const descriptors = () => readdirSync('/proc/self/fd').length;
  async function until(condition, what) {
    const end = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > end) throw new Error('never: ' + what);
      await pause(5);
    }
  }
`;

describe.each(doorbells)("with the doorbell '%s'", (doorbell) => {
  /** One that takes longer than 8 s to end hangs, and is killed. */
  const program = (source: string, options: ProgramOptions = {}) =>
    runProgram(PRELUDE + source, { doorbell, timeoutMs: 8000, ...options });

  describe.concurrent('the main thread', () => {
    test.each([
      ['ends by itself', 'await workToTheEnd();', 0],
      ['ends by itself with a code', 'process.exitCode = 3; await workToTheEnd();', 3],
      ['exits in the middle of work', 'await workForever(); process.exit(7);', 7],
      ['exits right after it has begun', 'workForever(); process.exit(7);', 7],
      ['exits a little later', 'workForever(); setTimeout(() => process.exit(7), 10);', 7],
      ['exits from a continuation', 'workForever(); noop().then(() => process.exit(7));', 7],
      ['runs tasks while it exits', "process.on('exit', () => workForever()); await workToTheEnd();", 0],
    ])('%s, with its code', async (_what, source, code) => {
      expect(await program(source)).toMatchObject({ code, signal: null, stderr: '' });
    });

    test.each([
      ['throws', "await workForever(); setTimeout(() => { throw new Error('on purpose'); });"],
      ['leaves a rejection', "await workForever(); Promise.reject(new Error('on purpose'));"],
    ])('%s in the middle of work, and ends with code 1', async (_what, source) => {
      const outcome = await program(source);
      expect(outcome).toMatchObject({ code: 1, signal: null });
      expect(outcome.stderr).toContain('Error: on purpose');
    });

    test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('is ended by %s in the middle of work', async (kill) => {
      const outcome = await program("await workForever(); console.log('working');", { kill });
      expect(outcome).toMatchObject({ code: null, signal: kill, stderr: '' });
    });

    test('may handle a signal, and exit then', async () => {
      const source = "process.on('SIGINT', () => process.exit(130)); await workForever(); console.log('working');";
      expect(await program(source, { kill: 'SIGINT' })).toMatchObject({ code: 130, signal: null, stderr: '' });
    });
  });

  describe.concurrent('a worker_thread', () => {
    test('comes and goes fifty times, and leaves no thread and no descriptor behind', async () => {
      const source = `
        const one = async () => (await once(spawn('finish'), 'exit'))[0];
        for (let i = 0; i < 3; ++i) await one();
        const before = { threads: threads(), descriptors: descriptors() };
        let codes = 0;
        for (let i = 0; i < 50; ++i) codes += await one();
        await until(() => threads() <= before.threads, 'as few threads as before');
        console.log(codes, descriptors() - before.descriptors);
      `;
      const outcome = await program(source, { timeoutMs: 25_000 });
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0 0\n', stderr: '' });
    });

    test('works next to seven others', async () => {
      const outcome = await program(`
        const one = async () => (await once(spawn('finish'), 'message'))[0];
        for (let round = 0; round < 2; ++round) {
          console.log(...new Set(await Promise.all(Array.from({ length: 8 }, one))));
        }
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${TASKS}\n${TASKS}\n`, stderr: '' });
    });

    test.each([
      ['is terminated', 'wait', { code: 1, error: undefined }],
      ['exits', 'exit', { code: 5, error: undefined }],
      ['throws', 'throw', { code: 1, error: 'on purpose' }],
    ])('%s in the middle of work, and the main thread goes on', async (_what, ending, expected) => {
      const outcome = await program(`
        const one = async () => {
          let error;
          const worker = spawn('${ending}');
          worker.on('message', () => worker.terminate()).on('error', ({ message }) => { error = message; });
          const [code] = await new Promise((done) => worker.on('exit', (...all) => done(all)));
          return JSON.stringify({ code, error });
        };
        const ends = new Set();
        for (let round = 0; round < 2; ++round) {
          for (const end of await Promise.all([one(), one()])) ends.add(end);
        }
        await noop();
        await until(() => !readdirSync('/proc/self/task').some(isWorking), 'the threads of the workers gone');
        console.log(...ends);
        function isWorking(id) {
          try {
            return readFileSync('/proc/self/task/' + id + '/comm', 'utf8').startsWith('work/');
          } catch {
            return false;
          }
        }
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${JSON.stringify(expected)}\n`, stderr: '' });
    });

    test('is terminated at any moment of its life', async () => {
      const outcome = await program(`
        for (let delay = 20; delay < 80; delay += 3) {
          const worker = spawn('wait');
          await pause(delay);
          await worker.terminate();
        }
        console.log('done');
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
    });

    test('is terminated while it calls into native code', async () => {
      const outcome = await program(`
        for (let i = 0; i < 16; ++i) {
          const worker = spawn('call');
          await once(worker, 'message');
          await pause(i % 5);
          await worker.terminate();
        }
        console.log('done');
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
    });

    test('leaves the work of the main thread alone when it is terminated', async () => {
      const outcome = await program(`
        const worker = spawn('wait');
        await once(worker, 'message');
        const all = [workToTheEnd(), worker.terminate(), workToTheEnd()];
        const [before, , during] = await Promise.all(all);
        console.log(before.length, during.length, (await workToTheEnd()).length);
      `);
      expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${TASKS} ${TASKS} ${TASKS}\n`, stderr: '' });
    });

    test('is in the middle of work when the main thread exits', async () => {
      const outcome = await program(`
        const workers = Array.from({ length: 4 }, () => spawn('wait'));
        await Promise.all(workers.map((worker) => once(worker, 'message')));
        process.exit(9);
      `);
      expect(outcome).toMatchObject({ code: 9, signal: null, stderr: '' });
    });
  });
});

describe('an addon that only workers have loaded', () => {
  test('outlives the last of them, whose threads still run', async () => {
    const outcome = await runProgram(
      `
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      for (let i = 0; i < 5; ++i) {
        const worker = new Worker('./test/support/worker.mjs', { workerData: 'wait', execArgv: [] });
        await once(worker, 'message');
        await worker.terminate();
      }
      await new Promise((go) => setTimeout(go, 200)); // what cannot be stopped ends meanwhile
      console.log('done');
    `,
    );
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
  });
});
