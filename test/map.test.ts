import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { MapOptions, Pool, Task } from '../lib/index.js';
import { gunzip, gzip, hash, noop, readFile, sleep, spin, toBase64 } from '../lib/ops.js';
import { temporaryFolder } from './ops/support.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { forever, gated, kinds, watched } from './support/sources.js';

const hex = (digest: Buffer) => digest.toString('hex');
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
const inFolder = temporaryFolder();

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe.each(kinds)('a map of a source that is %s', (kind) => {
  test.each([1, 2, 7, 300, undefined])('gives every result in order, with a concurrency of %s', async (concurrency) => {
    const pool = open({ threads: 2 });
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`);
    const items = texts.map((text) => ['sha256', text] as const);
    const { source, use } = watched(kind, items);
    const digests = await all(pool.map(hash, source, { concurrency }));
    expect(digests.map(hex)).toEqual(texts.map(sha256));
    expect(use).toEqual({ opened: 1, pulled: 200, overlaps: 0, returned: 0 });
  });

  test('gives every result once where order does not matter', async () => {
    const pool = open({ threads: 2 });
    const items = Array.from({ length: 200 }, (_, i) => [i % 3] as const);
    const { source } = watched(kind, items);
    const spun = await all(pool.map(spin, source, { ordered: false }));
    expect(spun).toHaveLength(200);
    expect(pool.stats()).toMatchObject({ fulfilled: 200, inFlight: 0 });
  });

  test('of nothing gives nothing', async () => {
    const { source, use } = watched(kind, []);
    expect(await all(open().map(noop, source))).toEqual([]);
    expect(use).toEqual({ opened: 1, pulled: 0, overlaps: 0, returned: 0 });
  });
});

describe('an item', () => {
  test('is a list of arguments, or the only one', async () => {
    const pool = open({ threads: 2 });
    const expected = ['YQ==', 'YmM='];
    expect(await all(pool.map(toBase64, ['a', 'bc']))).toEqual(expected);
    expect(await all(pool.map(toBase64, [['a'], ['bc']]))).toEqual(expected);
    expect(await all(pool.map(toBase64, new Set([Buffer.from('a'), 'bc'])))).toEqual(expected);
    expect(await all(pool.map(noop, [[], []]))).toEqual([undefined, undefined]);
  });

  test('may leave out options', async () => {
    const pool = open({ threads: 2 });
    const packed = await all(pool.map(gzip, ['a', ['bc'], ['d', { level: 9 }]]));
    expect((await all(pool.map(gunzip, packed))).map(String)).toEqual(['a', 'bc', 'd']);
  });

  test('has the types of the arguments', () => {
    const typed = (pool: Pool, tuple: Task<[list: readonly number[]], number>) => [
      pool.map(hash, [['sha256', 'a']]),
      // @ts-expect-error: hash takes two arguments
      pool.map(hash, ['sha256']),
      // @ts-expect-error: and both are needed
      pool.map(hash, [['sha256']]),
      // @ts-expect-error: milliseconds are no text
      pool.map(sleep, ['1']),
      // @ts-expect-error: noop takes no argument
      pool.map(noop, [1]),
      // @ts-expect-error: an Array is always the list of arguments
      pool.map(tuple, [[1, 2, 3]]),
      pool.map(tuple, [[[1, 2, 3]]]),
    ];
    expect(typed).toBeTypeOf('function'); // the compiler has tested the rest
  });
});

describe('results', () => {
  const files = ['b', 'c', 'd'].map((name) => {
    const path = inFolder(name);
    writeFileSync(path, path);
    return path;
  });

  test('come in the order of the source, whichever is finished first', async () => {
    const pool = open({ threads: 2 });
    const slow = gated(inFolder('slow'));
    const read = all(pool.map(readFile, [slow.path, ...files], { concurrency: 4 }));
    await until(() => pool.stats().fulfilled === 3, 'all but the first are read');
    await slow.end();
    expect((await read).map(String)).toEqual([slow.path, ...files]);
  });

  test('come as they are finished where that is what was asked for', async () => {
    const pool = open({ threads: 2 });
    const slow = gated(inFolder('later'));
    const paths: string[] = [];
    for await (const content of pool.map(readFile, [slow.path, ...files], { ordered: false })) {
      paths.push(`${content}`);
      if (paths.length === 3) await slow.end();
    }
    expect(paths.slice(0, 3).sort()).toEqual(files);
    expect(paths[3]).toBe(slow.path);
  });

  test('answer calls of next() in the order of the calls', async () => {
    const pool = open({ threads: 2 });
    const results = pool.map(toBase64, ['a', 'bc'], { concurrency: 1 });
    const names = ['first', 'second', 'third', 'fourth'];
    const calls = names.map((name) => [name, results.next()] as const);
    expect(await inOrder(calls)).toEqual(names);
    expect(await Promise.all(calls.map(([, call]) => call))).toEqual([
      { value: 'YQ==', done: false },
      { value: 'YmM=', done: false },
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });

  test('are their own iterator, and can be disposed of', async () => {
    const pool = open({ threads: 1 });
    const { source, use } = watched('async', forever([60_000] as const));
    const results = pool.map(sleep, source);
    expect(results[Symbol.asyncIterator]()).toBe(results);
    const pending = results.next();
    await until(() => use.pulled === 2, 'it pulls');
    await results[Symbol.asyncDispose]();
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(use.returned).toBe(1);
    expect(pool.stats().inFlight).toBe(0);
  });
});

describe('options', () => {
  test('a concurrency that is not given is twice the threads', async () => {
    const pool = open({ threads: 3 });
    const { source, use } = watched('sync', forever(60_000));
    const results = pool.map(sleep, source);
    const pending = results.next();
    expect(use.pulled).toBe(6);
    await results.return();
    await pending;
  });

  test('of runs are those of every task', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controller = new AbortController();
    const normal = rejection(pool.run(spin, [60_000], { signal: controller.signal }));
    const results = all(pool.map(noop, [[], []], { priority: 'high' }));
    await held.release();
    await results; // past the one that waited before them
    controller.abort();
    await normal;

    const inputs = [Buffer.alloc(10), Buffer.alloc(10)].map((bytes) => new Uint8Array(bytes));
    await all(pool.map(toBase64, inputs, { input: 'move' }));
    expect(inputs.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
  });

  test.each<[name: string, code: string, options: unknown]>([
    ['options', 'ERR_INVALID_ARG_TYPE', null],
    ['options', 'ERR_INVALID_ARG_TYPE', 5],
    ['options.concurrency', 'ERR_INVALID_ARG_TYPE', { concurrency: '2' }],
    ['options.concurrency', 'ERR_OUT_OF_RANGE', { concurrency: 0 }],
    ['options.concurrency', 'ERR_OUT_OF_RANGE', { concurrency: 1.5 }],
    ['options.concurrency', 'ERR_OUT_OF_RANGE', { concurrency: 65_537 }],
    ['options.ordered', 'ERR_INVALID_ARG_TYPE', { ordered: 'yes' }],
    ['options.priority', 'ERR_INVALID_ARG_VALUE', { priority: 'urgent' }],
    ['options.signal', 'ERR_INVALID_ARG_TYPE', { signal: {} }],
  ])('throw at once where %s cannot be (%s)', (name, code, options) => {
    const { source, use } = watched('sync', [1]);
    const map = () => open().map(sleep, source, options as MapOptions);
    expect(map).toThrow(expect.objectContaining({ code, message: expect.stringContaining(`"${name}"`) }));
    expect(use.opened).toBe(0);
  });

  test.each([undefined, null, 5, {}, noop()])('throw at once where the source is %s', (source) => {
    const map = () => open().map(sleep, source as never);
    expect(map).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('"iterable"') }),
    );
  });

  test('throw at once where the task is none', () => {
    expect(() => open().map((() => {}) as never, [])).toThrow('The "task" argument must be a task of offloop');
  });

  test('do not change when the object does', async () => {
    const pool = open({ threads: 1 });
    const options: MapOptions = { concurrency: 1 };
    const { source, use } = watched('sync', forever(60_000));
    const results = pool.map(sleep, source, options);
    options.concurrency = 9;
    const pending = results.next();
    expect(use.pulled).toBe(1);
    await results.return();
    await pending;
  });
});

test('the source and the tasks have the AsyncLocalStorage of the consumer, and so has what follows a result', async () => {
  const storage = new AsyncLocalStorage<string>();
  const pool = open({ threads: 2 });
  const seen = new Set<string | undefined>();
  const note = () => void seen.add(storage.getStore());
  const controller = new AbortController();
  async function* source(): AsyncGenerator<readonly [number]> {
    try {
      for (;;) {
        note();
        const item = [0] as [number];
        Object.defineProperty(item, 0, {
          get: () => {
            note(); // as the task begins
            return 0.1;
          },
        });
        yield item;
      }
    } finally {
      note();
    }
  }
  const results = storage.run('maker', () => pool.map(sleep, source(), { signal: controller.signal }));
  const error = await storage.run('consumer', async () => {
    for (let i = 0; i < 50; ++i) {
      await results.next();
      note();
    }
    storage.run('aborter', () => setImmediate(() => controller.abort()));
    return rejection(all(results));
  });
  expect(error).toMatchObject({ code: 'ABORT_ERR' });
  expect([...seen]).toEqual(['consumer']);
});
