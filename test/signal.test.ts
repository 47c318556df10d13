import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { AbortError, type Pool, type RunOptions } from '../lib/index.js';
import { hash, noop, pbkdf2, scrypt, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('a signal that is aborted already', () => {
  test('rejects the run, and the task never starts', async () => {
    const pool = open({ threads: 1 });
    const error = await rejection(pool.run(noop, [], { signal: AbortSignal.abort('not today') }));
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'not today' });
    expect(pool.stats()).toMatchObject({ threadsStarted: 0, inFlight: 0, cancelled: 0, fulfilled: 0 });
  });

  test('does so too when an argument aborts it', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const args = ['sha256', 'abc'] as [string, string];
    Object.defineProperty(args, 0, {
      get() {
        controller.abort('meanwhile');
        return 'sha256';
      },
    });
    const held = await hold(pool);
    const error = rejection(pool.run(hash, args, { signal: controller.signal }));
    await held.release();
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: 'meanwhile' });
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe('aborting a task that is queued', () => {
  test('takes it out at once, while the thread is still busy, and its place is free', async () => {
    const pool = open({ threads: 1, capacity: 2 });
    const held = await hold(pool);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = [pool.run(noop, [], { signal }), pool.run(hash, ['sha256', ''], { signal })].map(rejection);
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    for (const error of await Promise.all(aborted)) {
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect(error.cause).toBe(reason);
    }
    expect(pool.stats()).toMatchObject({ running: 1, queued: 0, cancelled: 2 });
    const [first, second] = [pool.run(noop), pool.run(noop)];
    expect(pool.stats()).toMatchObject({ queued: 2, refused: 1 });
    await held.release();
    await Promise.all([first, second]);
  });

  test('leaves its neighbours in order', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controllers = Array.from({ length: 1000 }, () => new AbortController());
    const order: number[] = [];
    const runs = controllers.map(({ signal }, i) => pool.run(noop, [], { signal }).then(() => order.push(i)));
    const settled = Promise.allSettled(runs);
    const odd = controllers.filter((_, i) => i % 2 === 1);
    for (const controller of odd.toReversed()) controller.abort();
    expect(pool.stats().queued).toBe(500);
    await held.release();
    await settled;
    expect(order).toEqual(controllers.flatMap((_, i) => (i % 2 === 0 ? [i] : [])));
  });

  test('works before the task has left JavaScript', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const runs = [
      pool.run(spin, [60_000], { signal: controller.signal }),
      pool.run(noop, [], { signal: controller.signal }),
    ];
    controller.abort();
    for (const error of await Promise.all(runs.map(rejection))) expect(error.code).toBe('ABORT_ERR');
  });
});

describe('aborting a task that runs', () => {
  test('ends a spin early and frees its thread', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const error = rejection(pool.run(spin, [60_000], { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it spins');
    controller.abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ cancelled: 1, fulfilled: 1 });
  });

  test('ends a hash of much data early', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const error = rejection(pool.run(hash, ['sha512', Buffer.alloc(256 << 20)], { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it hashes');
    controller.abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('ends a sleep, which holds no thread', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const errors = Array.from({ length: 100 }, (_, i) => rejection(pool.run(sleep, [60_000 + (i % 7)], { signal })));
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ running: 0, inFlight: 100 });
    controller.abort();
    for (const error of await Promise.all(errors)) expect(error.code).toBe('ABORT_ERR');
  });

  /** Half a second of work at least, which looks at no stop flag. */
  const unstoppable = {
    scrypt: (pool: Pool, options: RunOptions) =>
      pool.run(scrypt, ['password', 'salt', 32, { N: 2 ** 16, r: 8, p: 3, maxmem: 2 ** 28 }], options),
    pbkdf2: (pool: Pool, options: RunOptions) =>
      pool.run(pbkdf2, ['password', 'salt', 1_000_000, 64, 'sha512'], options),
  };

  test.each(['scrypt', 'pbkdf2'] as const)('rejects at once, though %s cannot be stopped', async (name) => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = unstoppable[name](pool, { signal: controller.signal });
    const next = pool.run(noop);
    await until(() => pool.stats().running === 1, 'it derives');
    controller.abort('enough');
    expect(await rejection(run)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(pool.stats()).toMatchObject({ running: 1, queued: 1, inFlight: 2, cancelled: 1 });
    expect(listeners(controller.signal)).toBe(0);
    await next;
    expect(pool.stats()).toMatchObject({ running: 0, inFlight: 0, cancelled: 1, fulfilled: 1, rejected: 0 });
  });

  test('keeps its late result from others', async () => {
    const pool = open({ threads: 2 });
    const controller = new AbortController();
    const run = unstoppable.pbkdf2(pool, { signal: controller.signal });
    await until(() => pool.stats().running === 1, 'it derives');
    controller.abort();
    await rejection(run);
    let checked = 0;
    do {
      const text = `text ${++checked}`;
      expect(await pool.run(hash, ['md5', text])).toEqual(createHash('md5').update(text).digest());
    } while (pool.stats().running > 0);
    await pool.drain();
    expect(pool.stats()).toMatchObject({ cancelled: 1, fulfilled: checked });
  });

  test('counts as in flight until it has returned: draining and closing wait for it', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = unstoppable.pbkdf2(pool, { signal: controller.signal });
    await until(() => pool.stats().running === 1, 'it derives');
    controller.abort();
    await rejection(run);
    let isClosed = false;
    const closed = pool.close().then(() => {
      isClosed = true;
    });
    expect(pool.stats()).toMatchObject({ inFlight: 1, running: 1 });
    await until(() => isClosed || pool.stats().running === 0, 'it returns');
    await closed;
    expect(pool.stats()).toMatchObject({ inFlight: 0, cancelled: 1 });
  });
});

describe('a signal', () => {
  test('that is aborted after the task has settled changes nothing', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    await pool.run(noop, [], { signal: controller.signal });
    const held = await hold(pool);
    const next = pool.run(noop); // in the slot that the first task had
    controller.abort();
    await held.release();
    await next;
    expect(pool.stats()).toMatchObject({ fulfilled: 2, cancelled: 1 });
  });

  test('has one listener however many tasks share it, and none when they have settled', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const pool = open({ threads: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const runs = Array.from({ length: 10_000 }, () => pool.run(noop, [], { signal }));
    expect(listeners(signal)).toBe(1);
    await Promise.all(runs);
    expect(listeners(signal)).toBe(0);
    const held = await hold(pool, 2);
    const more = Array.from({ length: 10_000 }, () => pool.run(noop, [], { signal }));
    const errors = Promise.all(more.map(rejection));
    expect(listeners(signal)).toBe(1);
    controller.abort('all of them');
    for (const { cause } of await errors) expect(cause).toBe('all of them');
    await held.release();
    process.off('warning', note);
    expect(listeners(signal)).toBe(0);
    expect(warnings).toEqual([]);
  });

  test.each(['waits', 'runs'])('that is aborted twice counts once, of a task that %s', async (state) => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controller = new AbortController();
    const run = pool.run(spin, [60_000], { signal: controller.signal });
    const error = rejection(run);
    if (state === 'runs') await held.release();
    await until(() => pool.stats().queued === (state === 'runs' ? 0 : 1), `it ${state}`);
    const before = pool.stats().cancelled;
    controller.abort('first');
    controller.abort('second');
    controller.signal.dispatchEvent(new Event('abort'));
    expect((await error).cause).toBe('first');
    await held.release();
    await pool.drain();
    expect(pool.stats()).toMatchObject({ cancelled: before + (state === 'runs' ? 1 : 2), inFlight: 0 });
  });

  test("gives its own reason as the cause where none is given: Node's", async () => {
    const controller = new AbortController();
    const error = rejection(open().run(sleep, [60_000], { signal: controller.signal }));
    controller.abort();
    expect((await error).cause).toBe(controller.signal.reason);
    expect((await error).cause).toMatchObject({ name: 'AbortError', code: 20 });
  });

  test('may be aborted by what follows the first of its tasks', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const runs = Array.from({ length: 1000 }, () => pool.run(noop, [], { signal }));
    const more = Array.from({ length: 10 }, () => pool.run(sleep, [60_000], { signal }));
    await Promise.race(runs.map((run) => run.then(() => controller.abort('one is enough'))));
    const ends = await Promise.allSettled([...runs, ...more]);
    expect(ends.slice(1000).every(({ status }) => status === 'rejected')).toBe(true);
    await pool.drain();
    const { fulfilled, cancelled } = pool.stats();
    expect({ fulfilled, cancelled }).toEqual({
      fulfilled: ends.filter(({ status }) => status === 'fulfilled').length,
      cancelled: ends.filter(({ status }) => status === 'rejected').length,
    });
    expect(listeners(signal)).toBe(0);
  });

  test('holds on to nothing of the hundred thousand tasks that it had, settled or aborted', async () => {
    const outcome = await runProgram(
      `
      import { getEventListeners } from 'node:events';
      import { Pool } from 'offloop';
      import { noop } from 'offloop/ops';
      process.on('warning', ({ message }) => console.log('warning:', message));
      const pool = new Pool({ threads: 1, capacity: 200_000 });
      const listeners = [];
      async function round(signal, abort) {
        const runs = Array.from({ length: 100_000 }, () => pool.run(noop, [], { signal }).catch(() => {}));
        listeners.push(getEventListeners(signal, 'abort').length);
        abort?.();
        await Promise.all(runs);
        listeners.push(getEventListeners(signal, 'abort').length);
      }
      const heap = async () => {
        await pool.drain();
        for (let i = 0; i < 3; ++i) {
          await new Promise(setImmediate);
          gc();
        }
        return process.memoryUsage().heapUsed;
      };
      const { signal } = new AbortController();
      const controllers = Array.from({ length: 2 }, () => new AbortController());
      const both = async (controller) => {
        await round(signal);
        await round(controller.signal, () => controller.abort());
      };
      await both(controllers[0]);
      const before = await heap();
      for (const controller of controllers.slice(1)) await both(controller);
      const grown = (await heap()) - before;
      console.log(listeners.join(''), grown < 2e6 || grown);
    `,
      { flags: ['--expose-gc'], timeoutMs: 60_000 },
    );
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: `${'10'.repeat(4)} true\n`, stderr: '' });
  }, 90_000);

  test('may be a timeout, whose reason becomes the cause', async () => {
    const error = await rejection(open().run(sleep, [60_000], { signal: AbortSignal.timeout(10) }));
    expect(error).toMatchObject({ code: 'ABORT_ERR' });
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
  });

  test('may be made of others', async () => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
    const error = rejection(open().run(sleep, [60_000], { signal }));
    controller.abort('one of them');
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: 'one of them' });
  });

  test('may be a proxy', async () => {
    const controller = new AbortController();
    const run = rejection(open().run(sleep, [60_000], { signal: new Proxy(controller.signal, {}) }));
    controller.abort('changed my mind');
    expect(await run).toMatchObject({ code: 'ABORT_ERR', cause: 'changed my mind' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('does not touch tasks that have another one, or none', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const [mine, other] = [new AbortController(), new AbortController()];
    const error = rejection(pool.run(noop, [], { signal: mine.signal }));
    const others = [pool.run(noop, [], { signal: other.signal }), pool.run(noop)];
    mine.abort();
    await held.release();
    expect((await error).code).toBe('ABORT_ERR');
    expect(await Promise.all(others)).toEqual([undefined, undefined]);
  });
});
