import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hash, noop, sleep, spin } from '../lib/ops.js';
import { rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { forever, kinds, throwing, watched } from './support/sources.js';

const DONE = { value: undefined, done: true };
const RESULT = { value: undefined, done: false };

/** What a loop gets until next() rejects. */
async function consume<T>(results: AsyncIterable<T>): Promise<{ seen: T[]; error: unknown }> {
  const seen: T[] = [];
  const error = await rejection(
    (async () => {
      for await (const result of results) seen.push(result);
    })(),
  );
  return { seen, error };
}

describe.each(kinds)('a source that is %s', (kind) => {
  test('is not touched before the first result is asked for', async () => {
    const pool = open({ threads: 1 });
    const { source, use } = watched(kind, forever([]));
    const results = pool.map(noop, source);
    for (let i = 0; i < 10; ++i) await setImmediate();
    expect(use.opened).toBe(0);
    await results.next();
    expect(use.opened).toBe(1);
    await results.return();
  });

  test.each([true, false])('is never pulled further than the concurrency ahead (ordered: %s)', async (ordered) => {
    const pool = open({ threads: 2 });
    let pulled = 0;
    let consumed = 0;
    let most = 0;
    const items = function* () {
      for (;;) {
        most = Math.max(most, ++pulled - consumed);
        yield [] as const;
      }
    };
    const { source, use } = watched(kind, items());
    for await (const _ of pool.map(noop, source, { concurrency: 16, ordered })) if (++consumed === 10_000) break;
    expect(most).toBe(16);
    expect(use).toMatchObject({ overlaps: 0, returned: 1 });
  });

  test('waits for a consumer that is slow', async () => {
    const pool = open({ threads: 2 });
    const { source, use } = watched(kind, forever([]));
    const results = pool.map(noop, source, { concurrency: 5 });
    for (let consumed = 1; consumed < 20; ++consumed) {
      await results.next();
      await until(() => pool.stats().fulfilled === consumed + 5, 'what may be pulled is done');
      for (let i = 0; i < 10; ++i) await setImmediate();
      expect(use.pulled).toBe(consumed + 5);
    }
    await results.return();
  });

  test('is pulled once at a time, and its tasks run once at a time, with a concurrency of 1', async () => {
    const pool = open({ threads: 4 });
    let consumed = 0;
    const ahead = new Set<number>();
    const items = function* () {
      for (let i = 0; i < 50; ++i) {
        ahead.add(i - consumed);
        ahead.add(pool.stats().inFlight);
        yield 0.05;
      }
    };
    const { source, use } = watched(kind, items());
    for await (const _ of pool.map(spin, source, { concurrency: 1 })) ++consumed;
    expect([...ahead]).toEqual([0]);
    expect(use).toMatchObject({ pulled: 50, overlaps: 0 });
  });

  test.each([
    [0, true],
    [3, true],
    [3, false],
  ])('that throws after %i items makes next() reject, and is not called again (ordered: %s)', async (good, ordered) => {
    const pool = open({ threads: 2 });
    const error = new Error('no more');
    const { source, use } = watched(kind, throwing(good, [0], error));
    const results = pool.map(sleep, source, { ordered, concurrency: 10 });
    const { seen, error: thrown } = await consume(results);
    expect(thrown).toBe(error);
    if (ordered) expect(seen).toHaveLength(good);
    expect(await results.next()).toEqual(DONE);
    expect(use).toMatchObject({ pulled: good, returned: 0 });
    expect(pool.stats().inFlight).toBe(0);
  });

  test('that throws undefined makes next() reject with that', async () => {
    const results = open().map(noop, watched(kind, throwing(0, [], undefined)).source);
    await expect(results.next()).rejects.toBeUndefined();
    expect(await results.next()).toEqual(DONE);
  });

  test('that throws from return() makes return() reject, once', async () => {
    const pool = open({ threads: 1 });
    const error = new Error('will not end');
    const { source, use } = watched(kind, forever([]), () => {
      throw error;
    });
    const results = pool.map(noop, source);
    await results.next();
    expect(await rejection(results.return())).toBe(error);
    expect(await results.return()).toEqual(DONE);
    expect(await results.next()).toEqual(DONE);
    expect(use.returned).toBe(1);
  });

  test('that throws from return() does not hide why it was ended', async () => {
    const pool = open({ threads: 1 });
    const { source, use } = watched(kind, forever(-1), () => {
      throw new Error('will not end');
    });
    expect(await rejection(pool.map(sleep, source).next())).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(use.returned).toBe(1);
  });

  test.each([true, false])(
    'that gives a wrong argument is ended, and next() rejects (ordered: %s)',
    async (ordered) => {
      const pool = open({ threads: 2 });
      const items = [
        ['sha256', 'a'],
        ['sha256', 5 as never],
        ['sha256', 'b'],
        ['sha256', 'c'],
      ] as const;
      const { source, use } = watched(kind, items);
      const results = pool.map(hash, source, { ordered, concurrency: 4 });
      const { seen, error } = await consume(results);
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      if (ordered) expect(seen).toHaveLength(1);
      expect(await results.next()).toEqual(DONE);
      expect(use).toMatchObject({ pulled: 2, returned: 1 });
      expect(pool.stats().inFlight).toBe(0);
    },
  );

  test('that is asked for much at once has been pulled no further than that', async () => {
    const pool = open({ threads: 2 });
    const { source, use } = watched(kind, forever([]));
    const results = pool.map(noop, source, { concurrency: 4 });
    const answers = await Promise.all(Array.from({ length: 1000 }, () => results.next()));
    expect(answers).toEqual(answers.map(() => RESULT));
    expect(use.pulled).toBeLessThanOrEqual(1004);
    expect(use.overlaps).toBe(0);
    await results.return();
  });
});

describe('a source', () => {
  test('may ask for results of the map that pulls it', async () => {
    const pool = open({ threads: 1 });
    const more: Promise<unknown>[] = [];
    const items = function* () {
      for (let i = 0; i < 3; ++i) {
        more.push(results.next());
        yield [] as const;
      }
    };
    const results = pool.map(noop, items());
    expect(await results.next()).toEqual(RESULT);
    await until(() => more.length === 3, 'it has been pulled to its end');
    expect(await Promise.all(more)).toEqual([RESULT, RESULT, DONE]);
  });

  test('may end the map that pulls it', async () => {
    const pool = open({ threads: 1 });
    let cleaned = false;
    let ended: Promise<unknown> | undefined;
    const items = function* () {
      try {
        yield [] as const;
        ended = results.return();
        yield [] as const;
      } finally {
        cleaned = true;
      }
    };
    const results = pool.map(noop, items(), { concurrency: 1 });
    expect(await results.next()).toEqual(RESULT);
    expect(await results.next()).toEqual(DONE);
    expect(await ended).toEqual(DONE);
    expect(cleaned).toBe(true);
    expect(pool.stats()).toMatchObject({ fulfilled: 1, cancelled: 0 });
  });

  test('that cannot be opened makes next() reject', async () => {
    const error = new Error('closed');
    const source = {
      [Symbol.iterator]() {
        throw error;
      },
    };
    const results = open().map(noop, source as unknown as Iterable<[]>);
    expect(await rejection(results.next())).toBe(error);
    expect(await results.next()).toEqual(DONE);
  });

  test.each([
    ['gives steps that are none', { next: () => 5 }, 'Iterator result 5 is not an object'],
    ['has no next()', {}, 'next is not a function'],
  ])('that %s makes next() reject with a TypeError', async (_what, iterator, message) => {
    for (const key of [Symbol.iterator, Symbol.asyncIterator]) {
      const results = open().map(noop, { [key]: () => iterator } as unknown as Iterable<[]>);
      const error = await rejection(results.next());
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(message);
    }
  });

  test('needs no return()', async () => {
    const results = open().map(noop, { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: [] as [] }) }) });
    await results.next();
    expect(await results.return()).toEqual(DONE);
  });

  test('that is both async and sync is taken for async', async () => {
    const both = Object.assign(watched('sync', [] as [][]).source, {
      async *[Symbol.asyncIterator]() {
        yield [] as [];
      },
    });
    const results = open().map(noop, both);
    expect([await results.next(), await results.next()]).toEqual([RESULT, DONE]);
  });
});
