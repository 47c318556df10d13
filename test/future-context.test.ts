import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Future } from '../lib/index.js';
import { watchScopes } from './support/async-scopes.js';
import { open } from './support/pools.js';
import { deferred, waysToSettle } from './support/settling.js';

/** Settles like `future`, when everything that can be told of its end was told: by what, in which context. */
async function continueInEveryWay<T>(future: Future<unknown>, context: () => T): Promise<Array<readonly [string, T]>> {
  const told: Array<readonly [string, T]> = [];
  const tell = (by: string) => () => void told.push([by, context()]);
  future.onSuccess(tell('callback')).onFailure(tell('callback'));
  const awaited = async () => {
    try {
      await future;
    } catch {}
    tell('await')();
  };
  const read = async () => {
    for await (const _ of future.progress) tell('report')();
    tell('end of progress')();
  };
  await Promise.all([
    awaited(),
    read(),
    future.then(tell('then'), tell('then')),
    future.catch(() => {}).then(tell('catch')),
    future.finally(tell('finally')).catch(() => {}),
  ]);
  return told;
}

const TELLERS = ['await', 'callback', 'catch', 'end of progress', 'finally', 'then'];

describe.each(waysToSettle)('when a Future %s', (_way, begin) => {
  test('everything that continues it has the AsyncLocalStorage of whoever asked', async () => {
    const pool = open({ threads: 1 });
    const storage = new AsyncLocalStorage<string>();
    const { future, settle } = storage.run('maker', () => begin(pool));
    const ask = (asker: string) =>
      storage.run(asker, () => continueInEveryWay(future, () => storage.getStore() ?? 'nobody'));
    const early = ['a', 'b', 'c'].map(ask);
    storage.run('settler', settle);
    await Promise.all(early);
    const late = ['d', 'e'].map(ask);
    for (const [i, told] of (await Promise.all([...early, ...late])).entries()) {
      expect(told.map(([by]) => by).sort()).toEqual(TELLERS);
      expect(new Set(told.map(([, store]) => store))).toEqual(new Set(['abcde'.charAt(i)]));
    }
  });

  test('async_hooks see every scope left that was entered, in order', async () => {
    const pool = open({ threads: 1 });
    const scopes = await watchScopes(async (current) => {
      const { future, settle } = begin(pool);
      const early = continueInEveryWay(future, current);
      settle();
      return [...(await early), ...(await continueInEveryWay(future, current))];
    });
    expect(scopes.disorder).toEqual([]);
    expect(scopes.result.length).toBe(2 * TELLERS.length);
    for (const [by, id] of scopes.result) {
      expect(scopes.entered.get(id), `the scope of ${by}`).toBeGreaterThan(0);
      expect(scopes.left.get(id), `the scope of ${by}`).toBe(scopes.entered.get(id));
    }
  });
});

test('a report of progress is read in the AsyncLocalStorage of its reader', async () => {
  const storage = new AsyncLocalStorage<number>();
  const { settler, future } = storage.run(-1, () => deferred());
  const readers = [1, 2, 3].map((reader) =>
    storage.run(reader, async () => {
      const stores: unknown[] = [];
      for await (const _ of future.progress) stores.push(storage.getStore());
      stores.push(storage.getStore());
      return stores;
    }),
  );
  for (let done = 1; done <= 3; ++done) {
    storage.run(-2, () => settler.progress(done, 3));
    await setImmediate();
  }
  storage.run(-2, () => settler.fulfil(1));
  expect(await Promise.all(readers)).toEqual([1, 2, 3].map((reader) => Array(4).fill(reader)));
});

test('a task is told to stop and to report in the AsyncLocalStorage of whoever says so', () => {
  const storage = new AsyncLocalStorage<string>();
  const told: unknown[] = [];
  const { future } = storage.run('maker', () =>
    deferred({
      watch: () => void told.push(['watch', storage.getStore()]),
      cancel: () => void told.push(['cancel', storage.getStore()]),
    }),
  );
  future.onFailure(() => {});
  storage.run('reader', () => future.progress[Symbol.asyncIterator]());
  storage.run('canceller', () => future.cancel());
  expect(told).toEqual([
    ['watch', 'reader'],
    ['cancel', 'canceller'],
  ]);
});
