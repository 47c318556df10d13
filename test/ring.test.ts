import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import { gzip, hash, noop, sleep, toBase64, writeFile } from '../lib/ops.js';
import { hold, rejection } from './support/gate.js';
import { open } from './support/pools.js';

const hex = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a tick', () => {
  test.each([
    ['without arguments', 100_000, (pool: Pool) => pool.run(noop), () => undefined],
    ['with a number', 50_000, (pool: Pool) => pool.run(sleep, [0]), () => undefined],
    [
      'with a few bytes',
      50_000,
      (pool: Pool, i: number) => pool.run(toBase64, [`${i}`]),
      (i: number) => base64(`${i}`),
    ],
    [
      'with 9 KiB, which is more than the memory between the threads holds',
      2000,
      (pool: Pool, i: number) => pool.run(toBase64, [`${i}`.repeat(3000)]),
      (i: number) => base64(`${i}`.repeat(3000)),
    ],
  ] as const)('may submit far more tasks than the ring holds: %s', async (_what, count, run, expected) => {
    const pool = open({ threads: 2, capacity: count });
    const results: unknown[] = await Promise.all(Array.from({ length: count }, (_, i) => run(pool, i)));
    expect(results.every((result, i) => result === expected(i))).toBe(true);
    expect(pool.stats()).toMatchObject({ fulfilled: count, refused: 0, inFlight: 0 });
  });

  test('may submit tasks of every size to several pools in turn', async () => {
    const pools = [open({ threads: 1 }), open({ threads: 2 }), open({ threads: 1, overflow: 'wait', capacity: 10 })];
    const sizes = [0, 1, 100, 5000, 65_536, 65_537, 200_000];
    const inputs = sizes.map((size) => Buffer.alloc(size, size % 251));
    const digests = inputs.map(hex);
    const runs = Array.from({ length: 3000 }, async (_, i) => {
      const pool = pools[i % pools.length] as Pool;
      const which = (i * 7) % sizes.length;
      const priority = i % 256;
      const digest = await pool.run(hash, ['sha256', inputs[which] as Buffer], i % 2 ? { priority } : undefined);
      return digest.toString('hex') === digests[which];
    });
    expect((await Promise.all(runs)).every(Boolean)).toBe(true);
  });

  test('may submit several large texts and bytes in one task', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const long = 'ü'.repeat(60_000);
    const runs = Array.from({ length: 20 }, (_, i) => pool.run(hash, ['sha256', `${long}${i}`]));
    await held.release();
    const digests = (await Promise.all(runs)).map((digest) => digest.toString('hex'));
    expect(digests).toEqual(runs.map((_, i) => hex(`${long}${i}`)));
  });

  test('after a burst of a hundred thousand, the next ones work', async () => {
    const pool = open({ threads: 2, capacity: 200_000 });
    for (let round = 0; round < 3; ++round) {
      await Promise.all(Array.from({ length: 100_000 }, () => pool.run(noop)));
      for (let i = 0; i < 10; ++i) expect(await pool.run(toBase64, ['abc'])).toBe('YWJj');
    }
  });
});

describe('tasks submitted from the then of others', () => {
  test('all settle', async () => {
    const pool = open({ threads: 2 });
    let settled = 0;
    const chain = async (depth: number): Promise<void> => {
      await pool.run(noop);
      ++settled;
      if (depth > 0) await Promise.all([chain(depth - 1), chain(depth - 1)]);
    };
    await chain(12);
    expect(settled).toBe(2 ** 13 - 1);
  });
});

/** What an argument's getter may do while its own task is being written. */
const intrusions: ReadonlyArray<readonly [string, (pool: Pool) => unknown]> = [
  ['runs a task without arguments', (pool) => pool.run(noop)],
  ['runs a task with options', (pool) => pool.run(noop, [], { priority: 'high' })],
  ['runs a task with text', (pool) => pool.run(hash, ['md5', 'of the getter'])],
  ['runs a task with many bytes', (pool) => pool.run(hash, ['md5', Buffer.alloc(70_000)])],
  [
    'fills the ring',
    (pool) => Promise.all(Array.from({ length: 5000 }, () => pool.run(hash, ['md5', 'x'.repeat(99)]))),
  ],
  ['asks for counts', (pool) => pool.stats()],
  ['drains the pool', (pool) => void pool.drain()],
  ['makes a mistake', (pool) => thrown(() => pool.run(hash, ['md5', 5 as never]))],
  ['makes a late mistake', (pool) => thrown(() => pool.run(writeFile, ['/nowhere', 5 as never]))],
  ['aborts another task', (pool) => abortOne(pool)],
];

/** A pool whose thread is held: tasks queue up, or they wait in JavaScript. */
async function full(overflow: 'reject' | 'wait') {
  const pool = open({ threads: 1, overflow, capacity: overflow === 'wait' ? 1 : 50_000 });
  const held = await hold(pool);
  pool.run(noop);
  return { pool, held };
}

function thrown(mistake: () => unknown): void {
  expect(mistake).toThrow(TypeError);
}

function abortOne(pool: Pool): Promise<unknown> {
  const controller = new AbortController();
  const error = rejection(pool.run(noop, [], { signal: controller.signal }));
  controller.abort();
  return error;
}

describe.each(['reject', 'wait'] as const)("a getter among the arguments, where overflow is '%s',", (overflow) => {
  test.each(intrusions)('%s, and every task has its own input', async (_what, intrude) => {
    const { pool, held } = await full(overflow);
    const intruders: unknown[] = [];
    const nested = (data: unknown, length = 2) => {
      const args = Array.from({ length }, () => 'sha256') as unknown[];
      Object.defineProperty(args, 1, {
        get() {
          intruders.push(intrude(pool));
          return data;
        },
      });
      return args as ['sha256', string];
    };
    const large = Buffer.alloc(300_000, 1);
    const runs = [
      pool.run(hash, ['sha256', 'before']),
      pool.run(hash, nested('in between')),
      pool.run(hash, nested(large), { input: 'copy' }),
      pool.run(hash, nested('again'), { priority: 'low' }),
      pool.run(hash, ['sha256', 'after']),
    ];
    large.fill(2);
    await held.release();
    const digests = (await Promise.all(runs)).map((digest) => digest.toString('hex'));
    const expected = ['before', 'in between', Buffer.alloc(300_000, 1), 'again', 'after'].map(hex);
    expect(digests).toEqual(expected);
    expect(intruders).toHaveLength(3);
    await Promise.all(intruders);
  });

  test('of the options of a task has no effect on its input either', async () => {
    const { pool, held } = await full(overflow);
    const intruders: unknown[] = [];
    const options = {
      get level() {
        intruders.push(pool.run(noop), pool.stats());
        return 1;
      },
    };
    const runs = ['a', 'b', 'c'].map((text) => pool.run(gzip, [text, options]));
    await held.release();
    const direct = ['a', 'b', 'c'].map((text) => pool.run(gzip, [text, { level: 1 }]));
    expect(await Promise.all(runs)).toEqual(await Promise.all(direct));
    await Promise.all(intruders);
  });
});
