import { createHash } from 'node:crypto';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import {
  deflate,
  fromBase64,
  gunzip,
  gzip,
  hash,
  inflate,
  noop,
  readFile,
  spin,
  toBase64,
  writeFile,
} from '../lib/ops.js';
import { bytesOf, MIB, temporaryFolder } from './ops/support.js';
import { hold, inOrder, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';

const inFolder = temporaryFolder();
const large = bytesOf(64 * MIB);
const few = large.subarray(0, 16 * MIB);
const deflated = deflateSync(large, { level: 1 });
const gzipped = gzipSync(large, { level: 1 });
const encoded = large.toString('base64');

interface Long {
  readonly name: string;
  run(pool: Pool, signal?: AbortSignal): Promise<Buffer | string>;
  byNode(): Buffer | string;
}

const options = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
const digestOf = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest();

/** Each takes many turns. */
const longs: readonly Long[] = [
  ...['sha512', 'shake256', 'md5'].map((algorithm) => ({
    name: `hash ${algorithm}`,
    run: (pool: Pool, signal?: AbortSignal) => pool.run(hash, [algorithm, large], options(signal)),
    byNode: () => digestOf(algorithm, large),
  })),
  ...[0, 1, 6].map((level) => ({
    name: `gzip at level ${level}`,
    run: (pool: Pool, signal?: AbortSignal) => pool.run(gzip, [level === 6 ? few : large, { level }], options(signal)),
    byNode: () => gzipSync(level === 6 ? few : large, { level }),
  })),
  {
    name: 'deflate',
    run: (pool, signal) => pool.run(deflate, [few, { level: 9, memLevel: 1 }], options(signal)),
    byNode: () => deflateSync(few, { level: 9, memLevel: 1 }),
  },
  {
    name: 'gunzip',
    run: (pool, signal) => pool.run(gunzip, [gzipped], options(signal)),
    byNode: () => gunzipSync(gzipped),
  },
  {
    name: 'inflate',
    run: (pool, signal) => pool.run(inflate, [deflated], options(signal)),
    byNode: () => inflateSync(deflated),
  },
  {
    name: 'toBase64',
    run: (pool, signal) => pool.run(toBase64, [large], options(signal)),
    byNode: () => encoded,
  },
  {
    name: 'fromBase64',
    run: (pool, signal) => pool.run(fromBase64, [encoded], options(signal)),
    byNode: () => large,
  },
];

const isSame = (a: Buffer | string, b: Buffer | string) =>
  Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b;

/** Starts a long task on an idle pool of one thread, and waits until it has yielded to one that keeps the thread. */
async function betweenTurns(pool: Pool, run: Long['run']) {
  const before = await hold(pool); // so that others wait from its first moment on
  const controller = new AbortController();
  const error = rejection(run(pool, controller.signal));
  const next = pool.run(noop);
  const holder = new AbortController();
  const held = rejection(pool.run(spin, [60_000], { signal: holder.signal }));
  await before.release();
  await next; // it has yielded, and waits behind the spin
  await until(() => pool.stats().queued === 1 && pool.stats().running === 1, 'the spin has begun');
  return {
    error,
    abort: () => controller.abort(),
    async release() {
      holder.abort();
      await held;
    },
  };
}

describe.each(longs)('$name', ({ run, byNode }) => {
  test('lets small tasks go first again and again, and loses nothing', async () => {
    const pool = open({ threads: 1 });
    const before = await hold(pool); // so that others wait from its first moment on
    let isDone = false;
    const long = run(pool).finally(() => {
      isDone = true;
    });
    const first = pool.run(noop);
    await before.release();
    await first;
    let others = 1;
    while (!isDone) {
      await pool.run(noop);
      ++others;
    }
    expect(isSame(await long, byNode())).toBe(true);
    expect(others).toBeGreaterThan(2);
    await until(() => pool.stats().runNs.count > others + 3, 'each of its turns is counted');
  });

  test('leaves at once when it is aborted between two turns', async () => {
    const pool = open({ threads: 1 });
    const { error, abort, release } = await betweenTurns(pool, run);
    expect(pool.stats()).toMatchObject({ queued: 1, running: 1 });
    abort();
    expect(await error).toMatchObject({ code: 'ABORT_ERR' });
    expect(pool.stats()).toMatchObject({ queued: 0, running: 1, cancelled: 2 }); // with what held the thread at first
    await release();
    await pool.run(noop);
  });
});

test('many long tasks on few threads take turns, wander between them, and all come out right', async () => {
  const pool = open({ threads: 2 });
  const results = await Promise.all([...longs, ...longs].map(({ run }) => run(pool)));
  const expected = longs.map(({ byNode }) => byNode());
  results.forEach((result, i) => {
    const { name } = longs[i % longs.length] as Long;
    expect(isSame(result, expected[i % longs.length] as Buffer), name).toBe(true);
  });
  expect(pool.stats().runNs.count).toBeGreaterThan(results.length * 3);
});

test('a long task that fails after some turns fails as with Node', async () => {
  const pool = open({ threads: 1 });
  const cut = gzipped.subarray(0, gzipped.length - 9);
  const error = rejection(pool.run(gunzip, [cut]));
  await until(() => pool.stats().running === 1, 'it has begun');
  await pool.run(noop);
  expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_TASK_FAILED', errno: -5 });
  expect((await error).cause).toMatchObject({ code: 'Z_BUF_ERROR' });
});

test('a task that nobody waits for runs in one turn', async () => {
  const pool = open({ threads: 1 });
  await pool.run(hash, ['sha512', large]);
  await until(() => pool.stats().runNs.count > 0, 'it is counted');
  expect(pool.stats().runNs.count).toBe(1);
});

test('a task whose turn is over goes on before those that are less urgent', async () => {
  const pool = open({ threads: 1, agingMs: 60_000 });
  const held = await hold(pool);
  const order = inOrder([
    ['low', pool.run(noop, [], { priority: 'low' })],
    ['long', pool.run(hash, ['sha512', large])],
    ['high', pool.run(noop, [], { priority: 'high' })],
  ]);
  await held.release();
  expect(await order).toEqual(['high', 'long', 'low']);
});

test('spin, writeFile and readFile keep their thread', async () => {
  const path = inFolder('large');
  const pool = open({ threads: 1 });
  for (const run of [
    () => pool.run(spin, [50]),
    () => pool.run(writeFile, [path, large]),
    () => pool.run(readFile, [path]),
  ]) {
    const first = run();
    await until(() => pool.stats().running === 1 || pool.stats().inFlight === 0, 'it has begun');
    expect(
      await inOrder([
        ['it', first],
        ['another', pool.run(noop)],
      ]),
    ).toEqual(['it', 'another']);
  }
});

test('what a task keeps between turns is freed when it is aborted', async () => {
  const pool = open({ threads: 1 });
  const grown = async (times: number): Promise<number> => {
    for (let i = 0; i < times; ++i) {
      const { error, abort, release } = await betweenTurns(pool, (_, signal) =>
        pool.run(toBase64, [large], options(signal)),
      );
      abort();
      await error;
      await release();
    }
    return process.memoryUsage.rss();
  };
  const before = await grown(20);
  expect((await grown(200)) - before).toBeLessThan(256 * MIB); // 200 of them keep some GiB
});
