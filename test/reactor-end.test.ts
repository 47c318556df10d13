/** What a reactor's waits do to the life of a process and of its threads, and what they cost. */
import { describe, expect, test } from 'vitest';
import { doorbells } from './support/offloop.js';
import { type ProgramOptions, runProgram } from './support/program.js';

/** What the programs below can use. */
const PRELUDE = `
  import { execFileSync } from 'node:child_process';
  import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
  import { once } from 'node:events';
  import { tmpdir } from 'node:os';
  import { join } from 'node:path';
  import { Worker } from 'node:worker_threads';
  import { Reactor } from 'offloop/primitives';
  const { O_RDWR, O_NONBLOCK } = constants;
  const folder = mkdtempSync(join(tmpdir(), 'offloop-pipes-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const open = () => openSync(path, O_RDWR | O_NONBLOCK);
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
`;

describe.each(doorbells)("a process, with the doorbell '%s'", (doorbell) => {
  const program = (source: string, options: ProgramOptions = {}) =>
    runProgram(PRELUDE + source, { doorbell, timeoutMs: 15_000, ...options });

  test('stays alive for a wait', async () => {
    const outcome = await program(`
      const fd = open();
      setTimeout(() => writeSync(fd, 'x'), 50).unref();
      new Reactor().readable(fd).then(() => console.log('readable'));
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'readable\n', stderr: '' });
  });

  test('stays alive for who asks a watch, and for a timer', async () => {
    const outcome = await program(`
      const fd = open();
      const reactor = new Reactor();
      reactor.watch(fd).next().then(() => console.log('readable'));
      reactor.timer(20).then(() => {
        console.log('time');
        writeSync(fd, 'x');
      });
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'time\nreadable\n', stderr: '' });
  });

  test('ends when nobody waits any more', async () => {
    const outcome = await program(`
      const fd = open();
      const reactor = new Reactor();
      const idle = reactor.watch(fd, 'w');
      await idle.next();
      const edges = reactor.backend === 'epoll' || reactor.backend === 'kqueue';
      if (edges) await reactor.watch(fd, 'w', { mode: 'edge' }).next();
      const controller = new AbortController();
      const aborted = reactor.readable(fd, { signal: controller.signal }).catch(({ code }) => console.log(code));
      controller.abort();
      await aborted;
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'ABORT_ERR\n', stderr: '' });
  });

  test('may exit while there are waits', async () => {
    const outcome = await program(`
      const reactor = new Reactor();
      const fd = open();
      for (let i = 0; i < 1000; ++i) reactor.readable(fd).catch(() => {});
      for (let i = 0; i < 1000; ++i) reactor.timer(i / 50);
      setTimeout(() => {
        writeSync(fd, 'x');
        process.exit(7);
      }, 10);
    `);
    expect(outcome).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  test('survives a worker_thread that is terminated while it waits, and goes on waiting itself', async () => {
    const outcome = await program(`
      const fd = open();
      const reactor = new Reactor();
      const mine = reactor.readable(fd);
      const source = \`
        const { parentPort, workerData: fd } = require('node:worker_threads');
        import('offloop/primitives').then(async ({ Reactor }) => {
          const reactor = new Reactor();
          for (let i = 0; i < 100; ++i) reactor.readable(fd);
          for (let i = 0; i < 100; ++i) reactor.timer(i / 10);
          parentPort.postMessage('waits');
          for await (const _ of reactor.watch(fd, 'w')); // is told again and again
        });
      \`;
      const descriptors = () => readdirSync('/proc/self/fd').length;
      let before;
      for (let i = 0; i < 8; ++i) {
        const worker = new Worker(source, { eval: true, workerData: fd, execArgv: [] });
        await once(worker, 'message');
        await pause(i);
        await worker.terminate();
        before ??= descriptors();
      }
      console.log(descriptors() - before, reactor.stats().waiting);
      writeSync(fd, 'x');
      await mine;
      console.log('readable');
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0 1\nreadable\n', stderr: '' });
  });

  test('tells nothing of the next file that has the number of one that was closed', async () => {
    const outcome = await program(`
      const other = join(folder, 'other');
      execFileSync('mkfifo', [other]);
      const reactor = new Reactor();
      let told = 0;
      for (let round = 0; round < 100; ++round) {
        const controller = new AbortController();
        const first = open();
        reactor.readable(first, { signal: controller.signal }).then(() => ++told, () => {});
        const forgotten = open();
        const watch = reactor.watch(forgotten, 'r', { signal: controller.signal });
        watch.next().then(() => ++told, () => {});
        // As it should be: first its end, then its descriptor's. And poll knows nothing but numbers.
        if (round % 2 || reactor.backend === 'poll') controller.abort();
        closeSync(first);
        closeSync(forgotten);
        const next = [openSync(other, O_RDWR | O_NONBLOCK), openSync(other, O_RDWR | O_NONBLOCK)];
        if (next[0] !== first || next[1] !== forgotten) console.log('another number');
        const ready = next.map((fd) => reactor.readable(fd, { timeoutMs: 5000 }));
        writeSync(next[0], 'x');
        for (const { readable } of await Promise.all(ready)) if (!readable) console.log('not readable');
        controller.abort();
        for (const fd of next) closeSync(fd);
        rmSync(other);
        execFileSync('mkfifo', [other]);
      }
      console.log(told, reactor.stats().waiting);
    `);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: '0 0\n', stderr: '' });
  });

  test('idles at no cost with ten thousand descriptors', async () => {
    const outcome = await program(
      `
      const fds = [];
      try {
        while (fds.length < 10_000) fds.push(open());
      } catch (error) {
        if (error.code !== 'EMFILE') throw error;
        for (const fd of fds.splice(-50)) closeSync(fd);
      }
      const reactor = new Reactor();
      const controller = new AbortController();
      const waits = fds.map((fd) => reactor.readable(fd, { signal: controller.signal }).catch(({ code }) => code));
      await pause(200); // what making them has cost is over
      const [before, began] = [reactor.stats().wakeUps, process.cpuUsage()];
      await pause(1000);
      const { user, system } = process.cpuUsage(began);
      console.log(fds.length, reactor.stats().waiting, reactor.stats().wakeUps - before, (user + system) / 1000);
      writeSync(fds[0], 'x'); // one pipe, so all of them are readable
      const told = await Promise.all(waits);
      console.log(told.filter((event) => event.readable).length);
    `,
      { timeoutMs: 30_000 },
    );
    expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    const [first, second] = outcome.stdout.split('\n') as [string, string];
    const [count, waiting, wakeUps, cpuMs] = first.split(' ').map(Number) as [number, number, number, number];
    expect(count).toBeGreaterThan(200); // fewer than 10,000 only where the process may open no more
    expect(waiting).toBe(count);
    expect(wakeUps).toBe(0);
    expect(cpuMs).toBeLessThan(100); // of a second; an empty Node takes a few, and a loop that spins takes them all
    expect(Number(second)).toBe(count);
  }, 60_000);
});
