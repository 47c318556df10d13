import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Progress } from '../lib/index.js';
import { deferred } from './support/settling.js';

type Reader = AsyncIterator<Progress>;

const read = (progress: AsyncIterable<Progress>): Reader => progress[Symbol.asyncIterator]();
const value = (done: number, total?: number) => ({ done: false, value: { done, total } });
const END = { done: true, value: undefined };

/** Everything that a loop over the progress gets, once it has ended. */
async function collect(progress: AsyncIterable<Progress>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { done } of progress) seen.push(done);
  return seen;
}

describe('progress', () => {
  test('comes as it is reported, to whoever waits for it', async () => {
    const { settler, future } = deferred();
    const reader = read(future.progress);
    for (const [done, total] of [
      [1, 10],
      [2, 10],
      [3, undefined],
    ] as const) {
      const next = reader.next();
      settler.progress(done, total);
      expect(await next).toEqual(value(done, total));
    }
  });

  test('gives a slow reader the latest alone', async () => {
    const { settler, future } = deferred();
    const reader = read(future.progress);
    for (let done = 1; done <= 100_000; ++done) settler.progress(done, 100_000);
    expect(await reader.next()).toEqual(value(100_000, 100_000));
    const next = reader.next();
    settler.progress(7, undefined);
    expect(await next).toEqual(value(7));
  });

  test('answers readers who ask ahead in order', async () => {
    const { settler, future } = deferred();
    const reader = read(future.progress);
    const asked = [reader.next(), reader.next(), reader.next()];
    settler.progress(1, undefined);
    settler.progress(2, undefined);
    settler.fulfil(1);
    expect(await Promise.all(asked)).toEqual([value(1), value(2), END]);
  });

  test('is the same for each of many readers, however fast they read', async () => {
    const { settler, future } = deferred();
    const fast = Array.from({ length: 10 }, () => collect(future.progress));
    const slow = read(future.progress);
    for (let done = 1; done <= 5; ++done) {
      settler.progress(done, 5);
      await setImmediate();
    }
    settler.fulfil(1);
    for (const seen of await Promise.all(fast)) expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(await slow.next()).toEqual(value(5, 5));
    expect(await slow.next()).toEqual(END);
  });

  test('begins with the latest report for a reader who comes later', async () => {
    const { settler, future } = deferred();
    read(future.progress);
    settler.progress(3, 4);
    expect(await read(future.progress).next()).toEqual(value(3, 4));
  });

  test('cannot be changed by a reader for the others', async () => {
    const { settler, future } = deferred();
    const readers = [read(future.progress), read(future.progress)] as const;
    settler.progress(1, 2);
    const { value: first } = await readers[0].next();
    expect(() => Object.assign(first, { done: 9 })).toThrow(TypeError);
    expect(await readers[1].next()).toEqual(value(1, 2));
  });
});

describe('the end of progress', () => {
  test.each([
    ['is fulfilled', (both: ReturnType<typeof deferred>) => both.settler.fulfil(1)],
    [
      'fails, which only the promise tells',
      (both: ReturnType<typeof deferred>) => both.settler.reject(new Error('no')),
    ],
    ['is cancelled', (both: ReturnType<typeof deferred>) => both.future.cancel()],
  ])('comes when the task %s', async (_what, settle) => {
    const both = deferred();
    const { settler, future } = both;
    future.onFailure(() => {});
    const loop = collect(future.progress);
    const waiting = read(future.progress);
    const [unread, ...asked] = [read(future.progress), waiting.next(), waiting.next()];
    settler.progress(1, 2);
    await setImmediate();
    settler.progress(2, 2);
    settle(both);
    settler.progress(3, 2);
    expect(await loop).toEqual([1, 2]);
    expect(await Promise.all(asked)).toEqual([value(1, 2), value(2, 2)]);
    expect(await waiting.next()).toEqual(END);
    expect(await unread.next()).toEqual(value(2, 2));
    expect(await unread.next()).toEqual(END);
    expect(await unread.next()).toEqual(END);
    expect(await collect(future.progress)).toEqual([]);
  });

  test('is all there is for who asks when the task has settled', async () => {
    const { settler, future } = deferred();
    settler.progress(1, 2);
    settler.fulfil(1);
    expect(await collect(future.progress)).toEqual([]);
  });
});

describe('a reader who leaves', () => {
  test('gets nothing more, and the others go on', async () => {
    const { settler, future } = deferred();
    const [leaver, stayer] = [read(future.progress), read(future.progress)];
    settler.progress(1, undefined);
    expect(await leaver.return?.()).toEqual(END);
    expect(await leaver.next()).toEqual(END);
    settler.progress(2, undefined);
    expect(await leaver.next()).toEqual(END);
    expect(await stayer.next()).toEqual(value(2));
  });

  test('need not wait for the next report', async () => {
    const { future } = deferred();
    const reader = read(future.progress);
    const asked = reader.next();
    await reader.return?.();
    expect(await asked).toEqual(END);
  });

  test('may do so by a break, and come back', async () => {
    const { settler, future } = deferred();
    const broken = (async () => {
      let last = 0;
      for await (const { done } of future.progress) {
        last = done;
        break;
      }
      return last;
    })();
    settler.progress(1, undefined);
    expect(await broken).toBe(1);
    const again = read(future.progress);
    expect(await again.next()).toEqual(value(1));
    const next = again.next();
    settler.progress(2, undefined);
    expect(await next).toEqual(value(2));
  });
});

describe('the task behind it', () => {
  test('is told to report by the first reader, once', () => {
    let watched = 0;
    const { future } = deferred({ watch: () => void ++watched });
    const { progress } = future;
    future.then(() => {});
    expect(watched).toBe(0);
    read(progress);
    expect(watched).toBe(1);
    read(progress);
    read(future.progress);
    expect(watched).toBe(1);
  });

  test('is told nothing when it has settled', () => {
    let watched = 0;
    const { settler, future } = deferred({ watch: () => void ++watched });
    const { progress } = future;
    settler.fulfil(1);
    read(progress);
    read(future.progress);
    expect(watched).toBe(0);
  });

  test('may report at once when it is told to', async () => {
    const { settler, future } = deferred({ watch: () => settler.progress(1, 2) });
    expect(await read(future.progress).next()).toEqual(value(1, 2));
  });
});
