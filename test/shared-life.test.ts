import { describe, expect, test } from 'vitest';
import { doorbells } from './support/offloop.js';
import { runProgram } from './support/program.js';

/** For programs and their threads: work that never ends. Some of it runs, some waits, some sleeps. */
const WORK_FOREVER = `
  const workForever = async (pool) => {
    for (let i = 0; i < 100; ++i) pool.run([ops.spin, ops.sleep][i % 2], [600_000]).catch(() => {});
    pool.stats();
  };
`;

/** What the programs below can use: `thread(body)` is a worker_thread that runs an async function's body. */
const PRELUDE = `
  import { once } from 'node:events';
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  import { Pool } from 'offloop';
  import * as ops from 'offloop/ops';
  ${WORK_FOREVER}
  const options = { threads: 2, capacity: 1000 };
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const thread = (body) => {
    const worker = new Worker('./test/support/thread.mjs', { workerData: 'common', execArgv: [] });
    worker.postMessage({ id: 0, body: ${JSON.stringify(WORK_FOREVER)} + body });
    return worker;
  };
  /** What the body has returned. */
  const answer = async (worker) => {
    const [{ value, error }] = await once(worker, 'message');
    if (error) throw Object.assign(new Error(), error);
    return value;
  };
  const ended = (worker) => new Promise((done) => worker.on('error', () => {}).on('exit', done));
  const threads = () => readdirSync('/proc/self/task').filter((id) => {
    try {
      return readFileSync('/proc/self/task/' + id + '/comm', 'utf8').startsWith('common/');
    } catch {
      return false;
    }
  }).length;
  async function gone() {
    for (const end = Date.now() + 5000; threads() > 0; await pause(2)) {
      if (Date.now() > end) throw new Error('the threads stay');
    }
  }
`;

describe.each(doorbells)("a shared pool, with the doorbell '%s'", (doorbell) => {
  const program = (source: string) => runProgram(PRELUDE + source, { doorbell, timeoutMs: 20_000 });

  test('does not keep the process alive, and ends with it', async () => {
    const outcome = await program(`
      const pool = Pool.shared('common', options);
      await Promise.all([pool.run(ops.spin, [2]), pool.run(ops.hash, ['md5', '']), pool.run(ops.sleep, [5])]);
      console.log('done');
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'done\n', stderr: '' });
  });

  test('is in use by five threads when the process exits', async () => {
    const outcome = await program(`
      const pool = Pool.shared('common', options);
      const workers = Array.from({ length: 4 }, () => thread("await workForever(Pool.shared(name));"));
      await Promise.all(workers.map(answer));
      await workForever(pool);
      process.exit(7);
    `);
    expect(outcome).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  test.each([
    ['ends by itself', 'parentPort.close();', 0],
    ['exits', 'process.exit(5);', 5],
    ['exits in the middle of work', 'await workForever(pool); process.exit(5);', 5],
    ['throws in the middle of work', 'await workForever(pool); setTimeout(() => { throw new Error(); });', 1],
  ])('is left by a worker_thread that %s, and ends when all have left it', async (_what, ending, code) => {
    const outcome = await program(`
      const pool = Pool.shared('common', options);
      const body = 'const pool = Pool.shared(name); await pool.run(ops.noop); ${ending}';
      const codes = new Set();
      for (let i = 0; i < 3; ++i) {
        codes.add(await ended(thread(body)));
        await pool.run(ops.hash, ['md5', '']);
      }
      console.log(...codes, threads() > 0);
      await pool.close();
      await gone();
      await ended(thread(body));
      await gone();
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${code} true\n`, stderr: '' });
  });

  test('works for the main thread while others come, work and are terminated at any moment', async () => {
    const outcome = await program(`
      const pool = Pool.shared('common', options);
      let isOver = false;
      let wrong = 0;
      let ran = 0;
      const work = async () => {
        while (!isOver) {
          const digest = await pool.run(ops.hash, ['md5', 'abc'], { priority: 'high' });
          if (digest.toString('hex') !== '900150983cd24fb0d6963f7d28e17f72') ++wrong;
          ++ran;
        }
      };
      const mine = [work(), work(), work()];
      const body = \`
        const pool = Pool.shared(name);
        setTimeout(async () => {
          const one = (i) => pool.run([ops.noop, ops.spin][i % 2], i % 2 ? [0.01] : [], { timeoutMs: 5000, deadlineMs: i });
          for (;;) await Promise.allSettled(Array.from({ length: 100 }, (_, i) => one(i)));
        });
      \`;
      const one = async (delay) => {
        const worker = thread(body);
        if (delay % 2 === 0) await answer(worker);
        await pause(delay);
        await worker.terminate();
      };
      for (let round = 0; round < 8; ++round) await Promise.all([one(6 * round), one(5 * round + 1)]);
      isOver = true;
      await Promise.all(mine);
      const { queued, running, inFlight } = pool.stats();
      console.log(wrong, ran > 0, queued, running, inFlight);
      await pool.close();
      await gone();
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0 true 0 0 0\n', stderr: '' });
  });

  test('is opened and closed by many threads at the same time: no task is lost, and no thread stays', async () => {
    const outcome = await program(`
      const body = \`
        let lost = 0;
        for (let i = 0; i < 200; ++i) {
          const pool = Pool.shared(name, { threads: 2 });
          const end = pool.run(ops.hash, ['md5', 'abc']).then(({ length }) => length, ({ code }) => code);
          await pool.close({ cancel: i % 5 === 0 });
          if (![16, i % 5 === 0 && 'ERR_OFFLOOP_CANCELLED'].includes(await end)) ++lost;
        }
        return lost;
      \`;
      console.log(...await Promise.all([0, 1, 2].map(() => answer(thread(body)))));
      await gone();
      process.exit();
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0 0 0\n', stderr: '' });
  });
});
