import { describe, expect, test } from 'vitest';
import { Pool, type PoolOptions } from '../lib/index.js';
import { hash, noop, spin } from '../lib/ops.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { threadNames } from './support/proc.js';
import { Thread } from './support/thread.js';

let pools = 0;
/** A name that no other test has. */
const newName = () => `shared${++pools}`;
const threadsOf = (name: string) =>
  threadNames()
    .filter((each) => each.startsWith(`${name}/`))
    .toSorted();
const gone = (name: string) => until(() => threadsOf(name).length === 0, 'its threads are gone');

/** Threads that have joined the pool, and keep it as `kept.pool`. */
async function join(name: string, count: number, options: object = {}): Promise<Thread[]> {
  const threads = Array.from({ length: count }, () => new Thread(name));
  const body = `kept.pool = Pool.shared(name, ${JSON.stringify(options)});`;
  await Promise.all(threads.map((thread) => thread.do(body)));
  return threads;
}

describe('a shared pool', () => {
  test('is one object for a thread, however often it asks', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    expect(Pool.shared(name)).toBe(pool);
    expect(Pool.shared(name, { threads: 1 })).toBe(pool);
    expect(pool).toBeInstanceOf(Pool);
    expect(pool.name).toBe(name);
    const other = Pool.shared(newName());
    expect(other).not.toBe(pool);
    await Promise.all([pool.close(), other.close()]);
  });

  test('is not a pool of one owner that has the same name', async () => {
    const name = newName();
    const shared = Pool.shared(name, { threads: 1 });
    const own = new Pool({ name, threads: 3 });
    await own.run(noop);
    expect(shared.stats()).toMatchObject({ threads: 1, fulfilled: 0 });
    await Promise.all([shared.close(), own.close()]);
  });

  test('has its threads once, and one count of everything, for five threads that use it', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 2, capacity: 1000 });
    const threads = await join(name, 4);
    const work = 'await Promise.all(Array.from({ length: 100 }, () => kept.pool.run(ops.spin, [0.2])));';
    const mine = Array.from({ length: 100 }, () => pool.run(spin, [0.2]));
    await Promise.all([...mine, ...threads.map((thread) => thread.do(work))]);
    expect(threadsOf(name)).toEqual([`${name}/0`, `${name}/1`]);
    const all = { name, threads: 2, threadsStarted: 2, capacity: 1000, queued: 0, fulfilled: 500, inFlight: 0 };
    expect(pool.stats()).toMatchObject(all);
    await until(() => pool.stats().runNs.count === 500, 'the threads have counted their last tasks');
    for (const thread of threads) expect(await thread.do('return kept.pool.stats();')).toMatchObject(all);
    await threads[0]?.do('await kept.pool.close();');
    expect(pool.stats().fulfilled).toBe(500);
    await pool.close();
  });

  test('shows what the others have waiting and running, and in flight only what is its own', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    const [thread] = (await join(name, 1)) as [Thread];
    const held = await hold(pool);
    await thread.do('for (let i = 0; i < 5; ++i) kept.pool.run(ops.noop, [], { priority: "low" }); kept.pool.stats();');
    const lanes = [0, 0, 0, 0, 0, 0, 0, 5];
    expect(pool.stats()).toMatchObject({ running: 1, queued: 5, inFlight: 1, lanes });
    expect(await thread.do('return kept.pool.stats();')).toMatchObject({ running: 1, queued: 5, inFlight: 5, lanes });
    await held.release();
    await thread.do('await kept.pool.drain();');
    await pool.close();
  });

  test('has one capacity for all', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1, capacity: 2 });
    const [thread] = (await join(name, 1)) as [Thread];
    const held = await hold(pool);
    const mine = [pool.run(noop), pool.run(noop)];
    pool.stats();
    await expect(thread.do('await kept.pool.run(ops.noop);')).rejects.toMatchObject({
      code: 'ERR_OFFLOOP_QUEUE_FULL',
    });
    expect(pool.stats()).toMatchObject({ queued: 2, refused: 1 });
    await held.release();
    await Promise.all(mine);
    await pool.close();
  });

  test('may give up the task of one thread for that of another', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1, capacity: 1, overflow: 'drop-oldest' });
    const [thread] = (await join(name, 1)) as [Thread];
    const held = await hold(pool);
    await thread.do('kept.dropped = kept.pool.run(ops.noop).catch(({ code }) => code); kept.pool.stats();');
    const mine = pool.run(noop);
    expect(await thread.do('return kept.dropped;')).toBe('ERR_OFFLOOP_DROPPED');
    await held.release();
    await mine;
    expect(pool.stats()).toMatchObject({ dropped: 1, fulfilled: 1 });
    await pool.close();
  });

  test('is resized for all', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    const [thread] = (await join(name, 1)) as [Thread];
    await thread.do('kept.pool.resize(3);');
    const held = await hold(pool, 3);
    expect(pool.stats()).toMatchObject({ threads: 3, threadsStarted: 3 });
    expect(Pool.shared(name, { threads: 1 })).toBe(pool); // what it was made with
    await held.release();
    await pool.close();
  });

  test("has a budget of processor time for each thread's own tasks", async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1, cpuBudgetMs: 20 });
    const [thread] = (await join(name, 1)) as [Thread];
    expect(await rejection(pool.run(spin, [60_000]))).toMatchObject({ code: 'ERR_OFFLOOP_BUDGET' });
    await thread.do('await kept.pool.run(ops.spin, [60]);');
    expect(() => Pool.shared(name, { cpuBudgetMs: 30 })).toThrow('"options.cpuBudgetMs"');
    expect(Pool.shared(name, { cpuBudgetMs: 20 })).toBe(pool);
    await pool.close();
  });
});

describe('joining', () => {
  const made: PoolOptions = {
    threads: 1,
    capacity: 50,
    overflow: 'wait',
    agingMs: 7,
    latency: 'low',
    stackSize: 200_000,
  };
  const others: PoolOptions = {
    threads: 2,
    capacity: 51,
    overflow: 'reject',
    agingMs: 8,
    latency: 'eco',
    stackSize: 200_001,
  };

  test.each(Object.keys(others) as (keyof PoolOptions)[])(
    'with another %s throws, and changes nothing',
    async (option) => {
      const name = newName();
      const pool = Pool.shared(name, made);
      const different = { [option]: others[option] };
      const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
      expect(() => Pool.shared(name, different)).toThrow(expect.objectContaining(expected));
      const message = `"options.${option}" must be what the shared pool '${name}' was made with, or left out`;
      expect(() => Pool.shared(name, different)).toThrow(message);
      const thread = new Thread(name);
      const error = rejection(thread.do(`Pool.shared(name, ${JSON.stringify(different)});`));
      expect(await error).toMatchObject({ ...expected, message: expect.stringContaining(`"options.${option}"`) });
      await thread.do(`Pool.shared(name, ${JSON.stringify({ [option]: made[option] })}).close();`);
      await pool.run(noop);
      await pool.close();
      await gone(name); // whoever could not join does not count as a user
    },
  );

  test.each([
    ['name', undefined, {}],
    ['name', 5, {}],
    ['options', 'x', null],
    ['options', 'x', 5],
    ['options.threads', 'x', { threads: 0 }],
    ['options.cpuBudgetMs', 'x', { cpuBudgetMs: -1 }],
  ])('throws at once for a wrong %s (%j, %j)', (argument, name, options) => {
    expect(() => Pool.shared(name as never, options as never)).toThrow(`"${argument}"`);
  });
});

describe('closing', () => {
  test('in one thread leaves the others working; the last one ends the pool', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    const [first, second] = (await join(name, 2)) as [Thread, Thread];
    await pool.run(noop);
    await Promise.all([pool.close(), first.do('await kept.pool.close();')]);
    expect(await rejection(pool.run(noop))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(await second.do('return String(await kept.pool.run(ops.toBase64, ["abc"]));')).toBe('YWJj');
    expect(threadsOf(name)).toEqual([`${name}/0`]);
    await second.do('await kept.pool.close();');
    await gone(name);
  });

  test('with cancel takes only tasks of its own along', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    const [thread] = (await join(name, 1)) as [Thread];
    const held = await hold(pool);
    await thread.do(`
      kept.codes = Array.from({ length: 50 }, () => kept.pool.run(ops.noop).then(() => 'ran', ({ code }) => code));
      kept.pool.stats();`);
    const mine = Array.from({ length: 50 }, (_, i) => [i, pool.run(noop)] as const);
    const order = inOrder(mine);
    await thread.do('kept.closed = kept.pool.close({ cancel: true });');
    expect(new Set(await thread.do<string[]>('return Promise.all(kept.codes);'))).toEqual(
      new Set(['ERR_OFFLOOP_CANCELLED']),
    );
    await thread.do('await kept.closed;');
    expect(pool.stats()).toMatchObject({ queued: 50, cancelled: 50, running: 1 });
    await held.release();
    expect(await order).toEqual(mine.map(([i]) => i));
    await pool.close();
  });

  test('makes the name free for a pool with other options', async () => {
    const name = newName();
    const first = Pool.shared(name, { threads: 1 });
    await first.run(noop);
    await first.close();
    await gone(name);
    const second = Pool.shared(name, { threads: 2, overflow: 'drop-newest' });
    expect(second).not.toBe(first);
    expect(second.stats()).toMatchObject({ threads: 2, fulfilled: 0 });
    await second.run(noop);
    expect(first.stats()).toMatchObject({ threads: 1, fulfilled: 1 });
    await second.close();
  });

  test('may be followed by joining before it is done', async () => {
    const name = newName();
    const first = Pool.shared(name, { threads: 1 });
    const run = first.run(spin, [20]);
    const closed = first.close();
    const second = Pool.shared(name);
    expect(second).not.toBe(first);
    const more = second.run(hash, ['md5', '']);
    await closed;
    await run;
    expect(await more).toHaveLength(16);
    await second.run(noop);
    expect(second.stats()).toMatchObject({ threads: 1, fulfilled: 3 });
    await second.close();
    await gone(name);
  });
});

describe('a worker_thread that is terminated', () => {
  test('takes its own waiting tasks along, and leaves those of others in order', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 1 });
    const [doomed, other] = (await join(name, 2)) as [Thread, Thread];
    const held = await hold(pool);
    const mine: [number, Promise<unknown>][] = [];
    await other.do('kept.order = []; kept.runs = [];');
    for (let i = 0; i < 20; ++i) {
      mine.push([i, pool.run(noop)]);
      pool.stats();
      await doomed.do('kept.pool.run(ops.noop); kept.pool.stats();');
      await other.do(`kept.runs.push(kept.pool.run(ops.noop).then(() => kept.order.push(${i}))); kept.pool.stats();`);
    }
    expect(pool.stats()).toMatchObject({ queued: 60 });
    await doomed.terminate();
    expect(pool.stats()).toMatchObject({ queued: 40, running: 1, cancelled: 20 });
    const order = inOrder(mine);
    await held.release();
    expect(await order).toEqual(mine.map(([i]) => i));
    expect(await other.do('await Promise.all(kept.runs); return kept.order;')).toEqual(mine.map(([i]) => i));
    await pool.close();
  });

  test('frees the pool of what it was running', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 2 });
    const [doomed] = (await join(name, 1)) as [Thread];
    await doomed.do('kept.pool.run(ops.spin, [60_000]); kept.pool.run(ops.spin, [60_000]); kept.pool.stats();');
    await until(() => pool.stats().running === 2, 'all threads are taken');
    const mine = pool.run(hash, ['md5', 'abc']);
    await doomed.terminate();
    expect(await mine).toHaveLength(16);
    expect(pool.stats()).toMatchObject({ threadsStarted: 2, fulfilled: 1, cancelled: 2 });
    await pool.close();
    await gone(name);
  });

  test('as the last user ends the pool', async () => {
    const name = newName();
    const pool = Pool.shared(name, { threads: 2 });
    const [doomed] = (await join(name, 1)) as [Thread];
    await pool.run(noop);
    await pool.close();
    await doomed.do('for (let i = 0; i < 100; ++i) kept.pool.run(ops.sleep, [60_000]); await kept.pool.run(ops.noop);');
    expect(threadsOf(name).length).toBeGreaterThan(0);
    await doomed.terminate();
    await gone(name);
  });
});
