import { describe, expect, test } from 'vitest';
import { runProgram } from './support/program.js';

const PRELUDE = `
  import { once } from 'node:events';
  import { readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  const kinds = ['plain', 'wasm', 'shared', 'result'];
  const lender = (workerData, transferList) =>
    new Worker('./test/support/lender.mjs', { workerData, transferList, execArgv: [] });
  /** How many milliseconds it takes to end a worker whose memory is being read. */
  async function end(worker) {
    await once(worker, 'message');
    const began = performance.now();
    await worker.terminate();
    return performance.now() - began;
  }
`;
const program = (source: string) => runProgram(PRELUDE + source, { timeoutMs: 55_000 });
const OK = { code: 0, signal: null, stderr: '' };

describe('a worker_thread whose memory is being read', { timeout: 60_000 }, () => {
  test('is terminated time and again, and its memory is given back', async () => {
    const outcome = await program(`
      import 'offloop';
      const residentMiB = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
      const before = residentMiB();
      for (let i = 0; i < 8; ++i) await end(lender({ kind: kinds[i % 4], cost: 1 }));
      for (let i = 0; i < 1000 && residentMiB() > before + 150; ++i) await new Promise((go) => setTimeout(go, 5));
      console.log(residentMiB() < before + 150); // of 320
    `);
    expect(outcome).toMatchObject({ ...OK, stdout: 'true\n' });
  });

  test('does not wait for a task that cannot be stopped', async () => {
    const outcome = await program(`
      import 'offloop';
      for (const kind of kinds) console.log(await end(lender({ kind, cost: 200 })) < 5000); // of 10 s
    `);
    expect(outcome).toMatchObject({ ...OK, stdout: 'true\n'.repeat(4) });
  });

  test('may be the only one that has loaded the addon', async () => {
    const outcome = await program(`
      for (const kind of kinds) await end(lender({ kind, cost: 4 }));
      console.log('done');
    `);
    expect(outcome).toMatchObject({ ...OK, stdout: 'done\n' });
  });

  test('has it from the main thread, which ends right after', async () => {
    const outcome = await program(`
      import 'offloop';
      for (const cost of [1, 2]) {
        const memory = new ArrayBuffer(40 * 1024 * 1024);
        await end(lender({ cost, memory }, [memory]));
      }
      console.log('done');
    `);
    expect(outcome).toMatchObject({ ...OK, stdout: 'done\n' });
  });
});

describe('the main thread', () => {
  test.each(['plain', 'wasm', 'shared', 'result'])('ends while tasks read its memory: %s', async (kind) => {
    const outcome = await runProgram(`
      import { lend, make } from './test/support/lend.mjs';
      const data = await make('${kind}');
      process.on('exit', () => lend(data, 4));
    `);
    expect(outcome).toMatchObject(OK);
  });
});
