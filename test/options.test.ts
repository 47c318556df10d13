import { expect, test } from 'vitest';
import { Pool } from '../lib/index.js';
import { hash, noop, sleep } from '../lib/ops.js';
import { open } from './support/pools.js';

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** What a mistake throws: at once, or not at all. */
function thrown(mistake: () => unknown): unknown {
  try {
    mistake();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.each([
  ['options', null, TYPE],
  ['options', 5, TYPE],
  ['options', [], TYPE],
  ['options', 'fast', TYPE],
  ['options.name', { name: 5 }, TYPE],
  ['options.name', { name: null }, TYPE],
  ['options.threads', { threads: '2' }, TYPE],
  ['options.threads', { threads: 0 }, RANGE],
  ['options.threads', { threads: 1025 }, RANGE],
  ['options.threads', { threads: 1.5 }, RANGE],
  ['options.threads', { threads: Number.NaN }, RANGE],
  ['options.capacity', { capacity: true }, TYPE],
  ['options.capacity', { capacity: 0 }, RANGE],
  ['options.capacity', { capacity: Infinity }, RANGE],
  ['options.overflow', { overflow: 1 }, TYPE],
  ['options.overflow', { overflow: 'block' }, VALUE],
  ['options.latency', { latency: null }, TYPE],
  ['options.latency', { latency: 'lowest' }, VALUE],
  ['options.stackSize', { stackSize: '1m' }, TYPE],
  ['options.stackSize', { stackSize: 1024 }, RANGE],
  ['options.stackSize', { stackSize: 2 ** 40 }, RANGE],
])('a pool cannot be made with wrong %s: %j', (name, options, expected) => {
  const error = thrown(() => new Pool(options as never));
  expect(error).toMatchObject(expected);
  expect((error as Error).message).toContain(`"${name}"`);
});

type Mistake = readonly [name: string, what: string, mistake: (pool: Pool) => unknown, expected: object];

const mistakes: Mistake[] = [
  ...[undefined, null, 5, {}, () => {}].map(
    (task): Mistake => ['task', String(task), (pool) => pool.run(task as never), TYPE],
  ),
  ...[null, 'x', {}, 5, new Set([1])].map(
    (args): Mistake => ['args', String(args), (pool) => pool.run(noop, args as never), TYPE],
  ),
  ...[5, 'high', [], true].map(
    (options): Mistake => ['options', String(options), (pool) => pool.run(noop, [], options as never), TYPE],
  ),
  ...(
    [
      ['signal', {}, TYPE],
      ['signal', null, TYPE],
      ['signal', new AbortController(), TYPE],
      ['priority', true, TYPE],
      ['priority', 'urgent', VALUE],
      ['priority', 'toString', VALUE],
      ['priority', -1, RANGE],
      ['priority', 256, RANGE],
      ['priority', 0.5, RANGE],
      ['priority', Number.NaN, RANGE],
      ['input', 5, TYPE],
      ['input', 'share', VALUE],
    ] as const
  ).map(
    ([option, value, expected]): Mistake => [
      `options.${option}`,
      String(value),
      (pool) => pool.run(noop, [], { [option]: value } as never),
      expected,
    ],
  ),
  ['data', 'a number', (pool) => pool.run(hash, ['sha256', 5 as never]), TYPE],
  ['data', 'nothing', (pool) => pool.run(hash, ['sha256'] as never), TYPE],
  ['algorithm', 'nothing', (pool) => pool.run(hash, [] as never), TYPE],
  ['ms', 'text', (pool) => pool.run(sleep, ['1' as never]), TYPE],
  ['ms', 'a bigint', (pool) => pool.run(sleep, [1n as never]), TYPE],
  ['ms', 'not a number', (pool) => pool.run(sleep, [Number.NaN]), RANGE],
  ['ms', 'negative', (pool) => pool.run(sleep, [-1]), RANGE],
  ['options.pool', 'not a pool', () => noop({ pool: {} as never }), TYPE],
  ['options.pool', 'null', () => noop({ pool: null as never }), TYPE],
  ['options', 'text', () => noop('high' as never), TYPE],
  ['options', 'a number', () => sleep(1, 5 as never), TYPE],
  ['options', 'not an object', (pool) => pool.close(5 as never), TYPE],
  ['options.cancel', 'a number', (pool) => pool.close({ cancel: 1 as never }), TYPE],
  ['options.timeoutMs', 'text', (pool) => pool.close({ timeoutMs: '5' as never }), TYPE],
  ['options.timeoutMs', 'negative', (pool) => pool.close({ timeoutMs: -1 }), RANGE],
  ['options.timeoutMs', 'longer than a timer can wait', (pool) => pool.close({ timeoutMs: 2 ** 31 }), RANGE],
];

test.each(mistakes)(
  'a wrong %s throws at once (%s), and the next run works',
  async (name, _what, mistake, expected) => {
    const pool = open({ threads: 1 });
    const before = pool.run(noop);
    const error = thrown(() => mistake(pool));
    expect(error).toMatchObject(expected);
    expect((error as Error).message).toContain(`"${name}"`);
    expect(await pool.run(hash, ['sha256', 'abc'])).toHaveLength(32);
    await before;
    expect(pool.stats()).toMatchObject({ fulfilled: 2, rejected: 0, inFlight: 0 });
  },
);

test.each([
  [{ priority: null }, 'The property "options.priority" must be of type string or number. Received null'],
  [{ priority: 'urgent' }, `must be one of: 'high', 'normal', 'low'. Received type string ('urgent')`],
  [{ priority: 256 }, 'must be >= 0 && <= 255. Received type number (256)'],
  [{ timeoutMs: -1 }, 'must be >= 0. Received type number (-1)'],
])('the error of %j says what it may be instead', (options, message) => {
  expect(() => open().run(noop, [], options as never)).toThrow(message);
});

test.each(['reject', 'wait'] as const)(
  "a wrong argument throws at once where overflow is '%s' and the pool is full",
  async (overflow) => {
    const pool = open({ threads: 1, capacity: 1, overflow });
    const runs = [pool.run(sleep, [20]), pool.run(sleep, [20])];
    expect(thrown(() => pool.run(sleep, [-1]))).toMatchObject(RANGE);
    await Promise.all(runs);
    expect(pool.stats()).toMatchObject({ fulfilled: 2, waiting: 0 });
  },
);

test('a wrong argument throws where the pool is closed or the signal is aborted, too', async () => {
  const pool = open({ threads: 1 });
  expect(thrown(() => pool.run(sleep, [-1], { signal: AbortSignal.abort() }))).toMatchObject(RANGE);
  await pool.close();
  expect(thrown(() => pool.run(sleep, [-1]))).toMatchObject(RANGE);
});
