import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Pool, PoolOptions, RunOptions, TaskEvent } from '../lib/index.js';
import { hash, noop, readFile, sleep, spin } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { loadOffloop } from './support/offloop.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';

const KINDS = ['submit', 'start', 'settle'] as const;
type Kind = (typeof KINDS)[number];

/** What was published, in order; the gates' own tasks, which are spins of 60 s, left out. */
let published: { kind: Kind; event: TaskEvent }[] = [];
/** What else happens at each. */
let meanwhile: ((kind: Kind, event: TaskEvent) => void) | undefined;

const subscribers = KINDS.map((kind) => {
  const subscriber = (event: unknown) => {
    published.push({ kind, event: event as TaskEvent });
    meanwhile?.(kind, event as TaskEvent);
  };
  return [`offloop:task:${kind}`, subscriber] as const;
});
const subscribeAll = () => {
  for (const [name, subscriber] of subscribers) subscribe(name, subscriber);
};
const unsubscribeAll = () => {
  for (const [name, subscriber] of subscribers) unsubscribe(name, subscriber);
};

beforeEach(() => {
  published = [];
  meanwhile = undefined;
  subscribeAll();
});
afterEach(unsubscribeAll);

const kindsOf = (task: string) => published.filter(({ event }) => event.task === task).map(({ kind }) => kind);
const eventOf = (task: string) => published.find(({ event }) => event.task === task)?.event as TaskEvent;
const hasBegun = (task: string) => until(() => kindsOf(task).includes('start'), `${task} begins`);

describe('a traced task', () => {
  test('is one object on all channels: submitted at once, begun when it begins, settled with its times', async () => {
    const pool = open({ name: 'watched', threads: 1 });
    const run = pool.run(spin, [5], { priority: 'low' });
    expect(published).toEqual([{ kind: 'submit', event: { task: 'spin', pool: 'watched', priority: 255 } }]);
    expect(await run).toBeUndefined();
    expect(kindsOf('spin')).toEqual(['submit', 'start', 'settle']);
    expect(new Set(published.map(({ event }) => event)).size).toBe(1);
    const { queuedNs, runNs, cpuNs, ...rest } = eventOf('spin');
    expect(rest).toEqual({ task: 'spin', pool: 'watched', priority: 255, status: 'fulfilled' });
    expect(queuedNs).toBeGreaterThan(0);
    expect(runNs).toBeGreaterThanOrEqual(5e6);
    expect(cpuNs).toBeGreaterThan(0);
    expect(cpuNs).toBeLessThan((runNs as number) * 1.05 + 1e6);
  });

  test('tells how long it waited', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const submitted = performance.now();
    const runs = [pool.run(noop), rejection(pool.run(hash, ['md5', ''], { deadlineMs: 20 }))];
    await setImmediate(); // both are in the queue
    const lateNs = (performance.now() - submitted) * 1e6;
    await runs[1];
    const waited = (performance.now() - submitted) * 1e6;
    expect(eventOf('hash').queuedNs).toBeGreaterThan(19.9e6 - lateNs);
    expect(eventOf('hash').queuedNs).toBeLessThanOrEqual(waited);
    expect(eventOf('hash').runNs).toBe(0);
    await held.release();
    await runs[0];
    expect(eventOf('noop').queuedNs).toBeGreaterThan(waited - lateNs);
    expect(eventOf('noop').runNs).toBeLessThan(eventOf('noop').queuedNs as number);
  });

  test('is told of while it runs', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = rejection(pool.run(spin, [60_000], { signal: controller.signal }));
    await hasBegun('spin');
    expect(kindsOf('spin')).toEqual(['submit', 'start']);
    controller.abort();
    expect(kindsOf('spin')).toEqual(['submit', 'start', 'settle']);
    await run;
  });

  test('has the priority that it was given, as a number', async () => {
    const pool = open({ threads: 1 });
    const given = ['high', 'normal', 'low', 0, 77, 255, undefined] as const;
    await Promise.all(given.map((priority) => pool.run(noop, [], priority === undefined ? {} : { priority })));
    await pool.run(noop);
    const told = published.filter(({ kind }) => kind === 'settle').map(({ event }) => event.priority);
    expect(told.toSorted((a, b) => a - b)).toEqual([0, 0, 77, 128, 128, 128, 255, 255]);
  });

  test('settles for subscribers before it does for whoever awaits it', async () => {
    const pool = open({ threads: 1 });
    const seen: string[] = [];
    meanwhile = (kind, { status }) => seen.push(`${kind} ${status}`);
    await pool.run(noop).then(() => seen.push('awaited'));
    expect(seen).toEqual(['submit undefined', 'start undefined', 'settle fulfilled', 'awaited']);
  });

  test('may be one of any copy of offloop in the process', async () => {
    unsubscribeAll();
    const copies = [await loadOffloop('loop'), await loadOffloop('loop')];
    for (const copy of copies) await copy.noop();
    subscribeAll();
    for (const copy of copies) await copy.noop();
    expect(kindsOf('noop')).toEqual(['submit', 'start', 'settle', 'submit', 'start', 'settle']);
    unsubscribeAll();
    for (const copy of copies) await copy.noop();
    expect(kindsOf('noop')).toHaveLength(6);
  });

  test('is one of those that the operations run by themselves, too', async () => {
    await hash('md5', '');
    expect(kindsOf('hash')).toEqual(['submit', 'start', 'settle']);
    expect(eventOf('hash')).toMatchObject({ pool: 'default', status: 'fulfilled' });
  });
});

describe('however a task ends, it is told once', () => {
  interface End {
    what: string;
    pool?: PoolOptions;
    /** Runs a `hash` that ends so. The thread is taken by the gate if `waits`. */
    run: (pool: Pool, controller: AbortController) => Promise<unknown>;
    waits: boolean;
    code: string;
    status: 'rejected' | 'cancelled';
    hasBegun: boolean;
    /** When it settles; otherwise they come later, with the task. */
    hasTimes: boolean;
  }
  const data = Buffer.alloc(1 << 28);
  const long = (pool: Pool, options: RunOptions) => pool.run(hash, ['sha512', data], options);
  const short = (pool: Pool, options?: RunOptions) => pool.run(hash, ['md5', ''], options);
  const unbegun = { waits: true, hasBegun: false, hasTimes: true, status: 'rejected' } as const;
  const cut = { waits: false, hasBegun: true, hasTimes: false, status: 'rejected' } as const;

  const ends: End[] = [
    {
      ...unbegun,
      what: 'refused',
      pool: { capacity: 1 },
      run(pool) {
        void pool.run(noop);
        return short(pool);
      },
      code: 'ERR_OFFLOOP_QUEUE_FULL',
    },
    {
      ...unbegun,
      what: 'dropped',
      pool: { capacity: 1, overflow: 'drop-oldest' },
      run(pool) {
        const run = short(pool);
        void pool.run(noop);
        return run;
      },
      code: 'ERR_OFFLOOP_DROPPED',
    },
    { ...unbegun, what: 'late', run: (pool) => short(pool, { deadlineMs: 1 }), code: 'ERR_OFFLOOP_DEADLINE' },
    {
      ...unbegun,
      what: 'aborted while it waits',
      run(pool, controller) {
        const run = short(pool, { signal: controller.signal });
        controller.abort();
        return run;
      },
      code: 'ABORT_ERR',
      status: 'cancelled',
      hasTimes: false,
    },
    {
      ...cut,
      what: 'aborted while it runs',
      run(pool, controller) {
        const run = long(pool, { signal: controller.signal });
        void hasBegun('hash').then(() => controller.abort());
        return run;
      },
      code: 'ABORT_ERR',
      status: 'cancelled',
    },
    { ...cut, what: 'out of time', run: (pool) => long(pool, { timeoutMs: 20 }), code: 'ERR_OFFLOOP_TIMEOUT' },
    { ...cut, what: 'over its budget', run: (pool) => long(pool, { cpuBudgetMs: 20 }), code: 'ERR_OFFLOOP_BUDGET' },
    {
      ...cut,
      what: 'in a pool that is closed',
      run(pool) {
        const run = long(pool, {});
        void hasBegun('hash').then(() => pool.close({ cancel: true }));
        return run;
      },
      code: 'ERR_OFFLOOP_CANCELLED',
      status: 'cancelled',
      hasTimes: true,
    },
    {
      ...unbegun,
      what: 'waiting in a pool that is closed',
      run(pool) {
        const run = short(pool);
        void pool.close({ cancel: true });
        return run;
      },
      code: 'ERR_OFFLOOP_CANCELLED',
      status: 'cancelled',
    },
  ];

  test.each(ends)('$what', async ({ pool: options, run, waits, code, status, hasBegun: begins, hasTimes }) => {
    const pool = open({ threads: 1, ...options });
    const held = waits ? await hold(pool) : undefined;
    const times = () => ['queuedNs', 'runNs', 'cpuNs'].filter((time) => time in eventOf('hash'));
    let atSettle: string[] = [];
    meanwhile = (kind, { task }) => {
      if (kind === 'settle' && task === 'hash') atSettle = times();
    };
    const error = await rejection(run(pool, new AbortController()));
    expect(error.code).toBe(code);
    await held?.release();
    await pool.drain();
    expect(kindsOf('hash')).toEqual(begins ? ['submit', 'start', 'settle'] : ['submit', 'settle']);
    expect(eventOf('hash').status).toBe(status);
    expect(eventOf('hash').error).toBe(error);
    expect(atSettle).toHaveLength(hasTimes ? 3 : 0);
    expect(times()).toHaveLength(3);
    if (!begins) expect(eventOf('hash').runNs).toBe(0);
  });

  test('failed', async () => {
    const error = await rejection(open().run(readFile, ['/no/such/file']));
    expect(kindsOf('readFile')).toEqual(['submit', 'start', 'settle']);
    expect(eventOf('readFile')).toMatchObject({ status: 'rejected' });
    expect(eventOf('readFile').error).toBe(error);
  });

  test('one of ten thousand', async () => {
    const pool = open({ threads: 2, capacity: 5000, overflow: 'drop-oldest' });
    const controller = new AbortController();
    const tasks = [noop, sleep, spin] as (typeof sleep)[];
    const run = (i: number) => {
      const options: RunOptions =
        i % 7 === 0 ? { deadlineMs: i % 3 } : i % 5 === 0 ? { signal: controller.signal } : {};
      return pool.run(tasks[i % 3] as typeof sleep, [i % 2], options);
    };
    const runs = Array.from({ length: 10_000 }, (_, i) => run(i));
    const settled = Promise.allSettled(runs);
    setImmediate().then(() => controller.abort());
    const ends = await settled;
    const kinds = new Map<TaskEvent, Kind[]>();
    for (const { kind, event } of published) kinds.set(event, [...(kinds.get(event) ?? []), kind]);
    expect(kinds.size).toBe(10_000);
    const ways = new Set([...kinds.values()].map(String));
    expect(ways).toEqual(new Set(['submit,settle', 'submit,start,settle']));
    const fulfilled = [...kinds.keys()].filter(({ status }) => status === 'fulfilled');
    expect(fulfilled).toHaveLength(ends.filter(({ status }) => status === 'fulfilled').length);
    expect(fulfilled.every((event) => kinds.get(event)?.length === 3)).toBe(true);
  });
});

describe('nothing is published', () => {
  test('of what was never submitted', async () => {
    const pool = open({ threads: 1 });
    expect(() => pool.run(sleep, [-1])).toThrow();
    expect(() => pool.run(noop, [], { deadlineMs: -1 })).toThrow();
    await rejection(pool.run(noop, [], { signal: AbortSignal.abort() }));
    await pool.close();
    await rejection(pool.run(noop));
    expect(published).toEqual([]);
  });

  test('on a channel that nobody has subscribed to, nor of tasks that were submitted before', async () => {
    const pool = open({ threads: 1 });
    unsubscribeAll();
    const held = await hold(pool);
    const before = pool.run(noop);
    const [, , [name, subscriber]] = subscribers as [unknown, unknown, (typeof subscribers)[number]];
    subscribe(name, subscriber);
    const after = pool.run(hash, ['md5', '']);
    await held.release();
    await Promise.all([before, after]);
    unsubscribe(name, subscriber);
    await pool.run(noop);
    expect(published.map(({ kind, event }) => [kind, event.task])).toEqual([['settle', 'hash']]);
  });

  test('to those who have unsubscribed meanwhile; the task settles all the same', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const run = rejection(pool.run(spin, [60_000], { signal: controller.signal }));
    await hasBegun('spin');
    unsubscribeAll();
    controller.abort();
    expect((await run).code).toBe('ABORT_ERR');
    expect(kindsOf('spin')).toEqual(['submit', 'start']);
  });
});

describe('a subscriber', () => {
  test('may run tasks, abort others, and look at the pool', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const nested: Promise<unknown>[] = [];
    let settled = 0;
    meanwhile = (kind, { task }) => {
      if (task !== 'noop') return;
      pool.stats();
      if (kind === 'submit') nested.push(pool.run(hash, ['md5', `${nested.length}`]));
      if (kind === 'settle') controllers[++settled * 2]?.abort();
    };
    const runs = controllers.map(({ signal }) => pool.run(noop, [], { signal }));
    const ends = Promise.allSettled(runs);
    await held.release();
    const fulfilled = (await ends).filter(({ status }) => status === 'fulfilled').length;
    expect(await Promise.all(nested)).toHaveLength(100);
    expect(kindsOf('noop').filter((kind) => kind === 'settle')).toHaveLength(100);
    expect(fulfilled).toBeGreaterThan(0);
    expect(fulfilled).toBeLessThan(100);
    await pool.drain();
    expect(pool.stats()).toMatchObject({ inFlight: 0, queued: 0, running: 0 });
  });

  test('may abort the task that is being submitted', async () => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    meanwhile = (kind) => kind === 'submit' && controller.abort('not you');
    const error = await rejection(pool.run(sleep, [60_000], { signal: controller.signal }));
    expect(error).toMatchObject({ code: 'ABORT_ERR', cause: 'not you' });
    expect(kindsOf('sleep').filter((kind) => kind !== 'start')).toEqual(['submit', 'settle']);
    await pool.drain();
  });

  const throwing = `
    import { subscribe } from 'node:diagnostics_channel';
    import { Pool } from 'offloop';
    import { hash, noop, sleep } from 'offloop/ops';
    for (const kind of ['submit', 'start', 'settle']) {
      subscribe('offloop:task:' + kind, () => { throw new Error('on purpose: ' + kind); });
    }
    const pool = new Pool({ threads: 2 });
    const runs = Array.from({ length: 300 }, (_, i) => pool.run([noop, sleep][i % 2], i % 2 ? [1] : []));
    runs.push(pool.run(hash, ['md5', 'abc']));`;

  test('that throws loses no task; Node reports each of its errors', async () => {
    const { code, stdout, stderr } = await runProgram(`
      const seen = {};
      process.on('uncaughtException', ({ message }) => { seen[message] = (seen[message] ?? 0) + 1; });
      ${throwing}
      await Promise.all(runs);
      await new Promise(setImmediate);
      console.log(JSON.stringify(seen), pool.stats().fulfilled);`);
    const seen = { 'on purpose: submit': 301, 'on purpose: start': 301, 'on purpose: settle': 301 };
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`${JSON.stringify(seen)} 301\n`);
  });

  test('that throws ends the process where nobody catches it, as on other channels', async () => {
    const { code, signal, stderr } = await runProgram(throwing);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain('Error: on purpose: submit');
  });
});
