import { describe, expect, test } from 'vitest';
import { type ProgramOptions, runProgram } from './support/program.js';

const PRELUDE = `
  import { setImmediate as turn } from 'node:timers/promises';
  import { Future, Pool } from 'offloop';
  import { noop, readFile, sleep } from 'offloop/ops';
  const pool = new Pool({ threads: 1 });
  const failing = () => pool.start(readFile, ['/no/such/file']);
  const never = () => pool.start(sleep, [600_000]);
`;
const program = (source: string, options?: ProgramOptions) => runProgram(PRELUDE + source, options);

describe.concurrent('a Future that is rejected', () => {
  test.each([
    ['by its task', 'failing();'],
    ['by its task, and has callbacks for success', 'failing().onSuccess(() => {}).onSuccess(() => {});'],
    ['by cancel', 'never().cancel();'],
    ['by cancel, and has callbacks for success', 'never().onSuccess(() => {}).cancel();'],
    ['by a signal', 'pool.start(sleep, [600_000], { signal: AbortSignal.timeout(5) });'],
    ['as a combination', 'Future.all([failing(), never()]);'],
    ['as the combination of none', 'Future.firstSuccess([]);'],
    ['as a combination that is cancelled', 'Future.race([never(), never()]).cancel();'],
    ['and whose continuation is not handled', 'failing().then(() => {});'],
  ])('%s, and handled by nobody, is reported once', async (_how, source) => {
    const outcome = await program(`
      let reports = 0;
      process.on('unhandledRejection', () => ++reports);
      process.on('exit', () => console.log(reports));
      ${source}`);
    expect(outcome).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
    const fatal = await program(source);
    expect(fatal).toMatchObject({ code: 1, signal: null });
    expect(fatal.stderr).toMatch(/ERR_OFFLOOP_|ABORT_ERR|ERR_INVALID_ARG_VALUE/);
  });

  test.each([
    ['by onFailure', 'failing().onFailure(() => {}); never().onFailure(() => {}).cancel();'],
    ['by onFailure, beside onSuccess', 'failing().onSuccess(() => {}).onFailure(() => {});'],
    ['by a continuation, beside onSuccess', 'const f = failing(); f.onSuccess(() => {}); f.catch(() => {});'],
    ['by a combination that is handled', 'Future.all([failing(), never(), never()]).catch(() => {});'],
    ['by a combination that does not mind', 'Future.allSettled([failing(), never()]).onFailure(() => {}).cancel();'],
  ])('and handled %s, is reported by nobody', async (_how, source) => {
    expect(await program(source)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('because it lost, is reported by nobody', async () => {
    const outcome = await program(`
      const losers = Array.from({ length: 9 }, never);
      console.log(
        await Future.race([noop(), ...losers.slice(0, 3)]),
        await Future.any([failing(), pool.start(noop), ...losers.slice(3, 6)]),
        await Future.firstSuccess([failing(), 7, ...losers.slice(6)]),
      );
      await turn();
      console.log(losers.filter(({ status }) => status === 'cancelled').length);
    `);
    expect(outcome).toMatchObject({ code: 0, stdout: 'undefined undefined 7\n9\n', stderr: '' });
  });
});

describe.concurrent('what a callback throws', () => {
  const throwing = `
    const good = pool.start(noop);
    const bad = failing();
    const fail = (how) => () => { throw new Error(how); };
    good.onSuccess(fail('success')).onSuccess(() => console.log('still called'));
    bad.onFailure(fail('failure')).onFailure(() => console.log('still called'));
    await Promise.allSettled([good, bad]);
    good.onSuccess(fail('late'));
    await turn();
    console.log('going on');
  `;

  test('is an uncaught exception, and the other callbacks are still called', async () => {
    const outcome = await program(`
      const seen = [];
      process.on('uncaughtException', (error, origin) => seen.push(error.message + ' ' + origin));
      process.on('exit', () => console.log(seen.sort().join()));
      ${throwing}`);
    const seen = ['failure', 'late', 'success'].map((message) => `${message} uncaughtException`).join();
    expect(outcome).toMatchObject({ code: 0, stdout: `still called\nstill called\ngoing on\n${seen}\n`, stderr: '' });
  });

  test('ends the process when nobody catches it', async () => {
    const outcome = await program(throwing);
    expect(outcome).toMatchObject({ code: 1, signal: null });
    expect(outcome.stdout).not.toContain('going on');
    expect(outcome.stderr).toMatch(/Error: (success|failure)/);
  });

  test('has the AsyncLocalStorage of the callback, and leaves every scope that async_hooks see', async () => {
    const outcome = await program(`
      import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
      const storage = new AsyncLocalStorage();
      const entered = new Map(), left = new Map();
      const count = (map) => (id) => map.set(id, (map.get(id) ?? 0) + 1);
      process.on('uncaughtException', (error) => console.log(error.message, storage.getStore()));
      createHook({ before: count(entered), after: count(left) }).enable();
      let callbacks = 0;
      const fail = () => {
        if (entered.has(executionAsyncId())) ++callbacks;
        throw new Error('on purpose');
      };
      const good = storage.run('maker', () => pool.start(noop));
      const bad = storage.run('maker', () => failing());
      storage.run('a', () => good.onSuccess(fail));
      storage.run('b', () => good.onSuccess(fail));
      await Promise.allSettled([good, bad]);
      storage.run('c', () => bad.onFailure(fail));
      await turn();
      const open = [...entered].filter(([id, times]) => left.get(id) !== times && id !== executionAsyncId());
      console.log(callbacks, open);
    `);
    const lines = ['a', 'b', 'c'].map((store) => `on purpose ${store}\n`).join('');
    expect(outcome).toMatchObject({ code: 0, stdout: `${lines}3 []\n`, stderr: '' });
  });

  test('is a rejection that nobody handles when the callback is an async function', async () => {
    const outcome = await program(`
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      pool.start(noop).onSuccess(async () => { throw new Error('on purpose'); });
    `);
    expect(outcome).toMatchObject({ code: 0, stdout: 'unhandled on purpose\n', stderr: '' });
  });
});

describe.concurrent('the garbage collector', () => {
  const collecting = `
    const collected = new Set();
    const registry = new FinalizationRegistry((name) => collected.add(name));
    async function gone(names, tries = 200) {
      for (let i = 0; i < tries; ++i) {
        gc();
        await turn();
        if (names.every((name) => collected.has(name))) return true;
      }
      return names.filter((name) => !collected.has(name)).join();
    }
  `;
  const flags = ['--expose-gc'];

  test('takes abandoned futures that have settled, however they did', async () => {
    const source = `
      ${collecting}
      const member = never();
      const { signal } = new AbortController();
      const make = {
        fulfilled: () => pool.start(noop),
        rejected: () => failing(),
        cancelled() { const future = never(); future.cancel(); return future; },
        heard: () => pool.start(noop).onSuccess(() => {}),
        watched() { const future = pool.start(noop); future.progress[Symbol.asyncIterator]().next(); return future; },
        combined: () => Future.all([pool.start(noop), 7]),
        raced: () => Future.race([pool.start(noop), new Promise(() => {})]),
        signalled: () => pool.start(noop, [], { signal }),
      };
      await (async () => {
        const futures = Object.entries(make).map(([name, begin]) => [name, begin()]);
        for (const [name, future] of futures) registry.register(future, name);
        await Promise.allSettled(futures.map(([, future]) => future));
      })();
      console.log(await gone(Object.keys(make)), member.status, signal.aborted);
      member.onFailure(() => {}).cancel();
    `;
    expect(await program(source, { flags })).toMatchObject({ code: 0, stdout: 'true running false\n', stderr: '' });
  });

  test('takes what a Future that is kept has no more use for', async () => {
    const source = `
      ${collecting}
      const noting = (name) => { const callback = () => {}; registry.register(callback, name); return callback; };
      const kept = await (async () => {
        const [good, bad] = [pool.start(noop), never()];
        good.onSuccess(noting('success')).onFailure(noting('failure'));
        bad.onSuccess(noting('no success')).onFailure(noting('no failure'));
        const reader = good.progress[Symbol.asyncIterator]();
        registry.register(reader, 'reader');
        bad.cancel();
        await Promise.allSettled([good, bad]);
        return [good, bad];
      })();
      console.log(await gone(['success', 'failure', 'no success', 'no failure', 'reader']), kept.length);
    `;
    expect(await program(source, { flags })).toMatchObject({ code: 0, stdout: 'true 2\n', stderr: '' });
  });

  test('leaves alone a Future that is awaited', async () => {
    const source = `
      ${collecting}
      const awaited = (async () => { await pool.start(sleep, [100]); return 'done'; })();
      const callback = new Promise((done) => void pool.start(sleep, [100]).onSuccess(done)).then(() => 'called');
      const combined = Future.all([pool.start(sleep, [100])]).then(() => 'all');
      await gone(['nothing'], 20);
      console.log(await awaited, await callback, await combined);
    `;
    expect(await program(source, { flags })).toMatchObject({ code: 0, stdout: 'done called all\n', stderr: '' });
  });
});
