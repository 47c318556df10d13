import { getEventListeners, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { rejection, until } from './support/gate.js';
import { doorbells, loadOffloop, type Offloop } from './support/offloop.js';
import { runProgram } from './support/program.js';

describe.each(doorbells)("a wake handle, with the doorbell '%s'", (doorbell) => {
  let offloop: Offloop;
  beforeAll(async () => {
    offloop = await loadOffloop(doorbell);
  });
  const open = () => new offloop.WakeHandle();

  /** Whether the promise is still pending when all that was rung has been heard. */
  async function isPending(promise: Promise<unknown>): Promise<boolean> {
    const other = open();
    setTimeout(() => other.ring(), 2);
    return (await Promise.race([promise.then(() => 'settled'), other.wait().then(() => 'late')])) === 'late';
  }

  test('wakes who waits', async () => {
    const wake = open();
    const woken = wake.wait();
    expect(await isPending(woken)).toBe(true);
    wake.ring();
    expect(await woken).toBeUndefined();
    expect(await isPending(wake.wait())).toBe(true);
    wake.close();
  });

  test('remembers rings, as one, until somebody waits', async () => {
    const wake = open();
    for (let i = 0; i < 1000; ++i) wake.ring();
    await wake.wait();
    expect(await isPending(wake.wait())).toBe(true);
    expect(wake.rings).toBe(1000);
    expect(wake.wakeUps).toBe(1);
    wake.close();
  });

  test('wakes all who wait together', async () => {
    const wake = open();
    const woken = Promise.all(Array.from({ length: 100 }, () => wake.wait()));
    wake.ring();
    await woken;
    expect(wake.wakeUps).toBe(1);
  });

  test('is heard by each that has its handle, also of rings before it came', async () => {
    const wake = open();
    const other = offloop.WakeHandle.from(wake.handle);
    expect(other.handle).toBe(wake.handle);
    const waits = [wake.wait(), other.wait()];
    other.ring();
    await Promise.all(waits);
    const late = offloop.WakeHandle.from(wake.handle);
    await late.wait();
    wake.ring();
    await Promise.all([wake.wait(), other.wait(), late.wait()]);
    expect([wake.rings, wake.wakeUps]).toEqual([2, 6]);
  });

  test('gives up when the signal is aborted', async () => {
    const wake = open();
    const controller = new AbortController();
    const { signal } = controller;
    const [aborted, woken] = [rejection(wake.wait({ signal })), wake.wait()];
    controller.abort('enough');
    expect(await aborted).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(await isPending(woken)).toBe(true);
    wake.ring();
    await woken;
    wake.ring();
    expect(await rejection(wake.wait({ signal }))).toMatchObject({ code: 'ABORT_ERR' });
    await wake.wait({ signal: new AbortController().signal }); // the ring is still there
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('loses no ring that comes while it is answered', async () => {
    const [ping, pong] = [open(), open()];
    let answers = 0;
    const answer = (async () => {
      for (; answers < 2000; ++answers) {
        await ping.wait();
        pong.ring();
      }
    })();
    for (let i = 0; i < 2000; ++i) {
      ping.ring();
      await pong.wait();
    }
    await answer;
    expect(pong.rings).toBe(2000);
    expect(pong.wakeUps).toBe(2000);
  });

  test('rejects who waits when it is closed, and lets others go on', async () => {
    const wake = open();
    const other = offloop.WakeHandle.from(wake.handle);
    const [closed, woken] = [rejection(wake.wait()), other.wait()];
    wake.close();
    wake.close();
    for (const error of [await closed, await rejection(wake.wait())]) {
      expect(error).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_CLOSED' });
    }
    const refuses = expect.objectContaining({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(() => wake.ring()).toThrow(refuses);
    expect(() => wake.rings).toThrow(refuses);
    other.ring();
    await woken;
    {
      using last = offloop.WakeHandle.from(wake.handle);
      other.close();
      last.ring();
    }
    expect(() => offloop.WakeHandle.from(wake.handle)).toThrow(refuses);
  });

  test('throws at once for mistakes', () => {
    const wrong = (call: () => unknown, code: string) => expect(call).toThrow(expect.objectContaining({ code }));
    wrong(() => offloop.WakeHandle.from('1' as never), 'ERR_INVALID_ARG_TYPE');
    wrong(() => offloop.WakeHandle.from(0), 'ERR_OUT_OF_RANGE');
    wrong(() => open().wait(null as never), 'ERR_INVALID_ARG_TYPE');
    wrong(() => open().wait({ signal: {} as never }), 'ERR_INVALID_ARG_TYPE');
  });
});

describe('a wake handle between threads', () => {
  const spawn = (source: string, workerData: unknown) =>
    new Worker(`const { workerData } = require('node:worker_threads');\n${source}`, {
      eval: true,
      workerData,
      execArgv: [],
    });

  test('is rung and awaited by any of them', async () => {
    const { WakeHandle } = await loadOffloop('loop');
    const [ping, pong] = [new WakeHandle(), new WakeHandle()];
    const worker = spawn(
      `import('offloop/primitives').then(async ({ WakeHandle }) => {
        const [ping, pong] = workerData.map((handle) => WakeHandle.from(handle));
        for (let i = 0; i < 500; ++i) {
          await ping.wait();
          pong.ring();
        }
      });`,
      [ping.handle, pong.handle],
    );
    const ended = once(worker, 'exit');
    for (let i = 0; i < 500; ++i) {
      ping.ring();
      await pong.wait();
    }
    expect([ping.rings, pong.rings, ping.wakeUps, pong.wakeUps]).toEqual([500, 500, 500, 500]);
    await ended;
  });

  test('counts the rings of all, and misses none', async () => {
    const { WakeHandle } = await loadOffloop('loop');
    const wake = new WakeHandle();
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const ringers = Array.from({ length: 2 }, () =>
      spawn(
        `import('offloop/primitives').then(({ WakeHandle }) => {
          const wake = WakeHandle.from(workerData.handle);
          for (let i = 0; i < 20_000; ++i) {
            Atomics.add(workerData.shared, 0, 1);
            wake.ring();
          }
        });`,
        { handle: wake.handle, shared },
      ),
    );
    const ended = Promise.all(ringers.map((ringer) => once(ringer, 'exit')));
    // A ring that is lost would be waited for in vain: the last one comes after the last change.
    while (Atomics.load(shared, 0) < 40_000) await wake.wait();
    await ended;
    expect(wake.rings).toBe(40_000);
    expect(wake.wakeUps).toBeLessThanOrEqual(40_000);
  });

  test('goes with a worker_thread that is terminated while it waits', async () => {
    const { WakeHandle } = await loadOffloop('loop');
    const wake = new WakeHandle();
    for (let i = 0; i < 5; ++i) {
      const worker = spawn(
        `import('offloop/primitives').then(({ WakeHandle }) => {
          const wakes = Array.from({ length: 10 }, () => WakeHandle.from(workerData));
          Promise.all(wakes.map((wake) => wake.wait())).then(() => Promise.all(wakes.map((wake) => wake.wait())));
          require('node:worker_threads').parentPort.postMessage('waits');
        });`,
        wake.handle,
      );
      await once(worker, 'message');
      const ended = worker.terminate();
      for (let n = 0; n < 100; ++n) wake.ring();
      await ended;
      await wake.wait();
    }
    await until(() => wake.rings === 500, 'all rings have come');
  });
});

describe.each(doorbells)("a process, with the doorbell '%s'", (doorbell) => {
  test('stays alive for those who wait, and for no other', async () => {
    const outcome = await runProgram(
      `
      import { WakeHandle } from 'offloop/primitives';
      const [wake, idle, left] = [new WakeHandle(), new WakeHandle(), new WakeHandle()];
      const controller = new AbortController();
      left.wait({ signal: controller.signal }).catch(() => {});
      controller.abort();
      setTimeout(() => wake.ring(), 50).unref();
      wake.wait().then(() => console.log('woken'));
    `,
      { doorbell },
    );
    // Nothing but the wait holds the process, so the timer has its turn.
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'woken\n', stderr: '' });
  });

  test('closes what is forgotten, and nothing that somebody waits for', async () => {
    const outcome = await runProgram(
      `
      import { WakeHandle } from 'offloop/primitives';
      const forgotten = new WakeHandle().handle;
      const waited = new WakeHandle();
      const woken = WakeHandle.from(waited.handle).wait();
      const isOpen = (handle) => {
        try {
          WakeHandle.from(handle).close();
          return true;
        } catch {
          return false;
        }
      };
      const end = Date.now() + 5000;
      while (isOpen(forgotten) && Date.now() < end) { gc(); await new Promise((go) => setTimeout(go, 5)); }
      waited.ring();
      await woken;
      console.log(isOpen(forgotten));
    `,
      { doorbell, flags: ['--expose-gc'] },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: 'false\n', stderr: '' });
  });

  test('may exit while somebody waits', async () => {
    const outcome = await runProgram(
      `
      import { WakeHandle } from 'offloop/primitives';
      const wake = new WakeHandle();
      wake.wait();
      setTimeout(() => process.exit(7), 10);
    `,
      { doorbell },
    );
    expect(outcome).toMatchObject({ code: 7, signal: null, stderr: '' });
  });
});
