import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../lib/index.js';
import { fromBase64, gunzip, gzip, hash, readFile, stat, toBase64 } from '../lib/ops.js';
import { inOrder } from './support/gate.js';
import { resizable, wasmMemory } from './support/memory.js';
import { open } from './support/pools.js';

const hex = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
const asUint8Array = (data: Bytes) =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

function sharedBytes(size: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(size);
  new Uint8Array(shared).fill(7);
  return shared;
}

const kinds: ReadonlyArray<readonly [string, Bytes]> = [
  ['Int8Array', Int8Array.of(-1, 2, -128)],
  ['Uint8Array', Uint8Array.of(255, 0, 1)],
  ['Uint8ClampedArray', Uint8ClampedArray.of(300, -5, 1)],
  ['Int16Array', Int16Array.of(-2, 300)],
  ['Uint16Array', Uint16Array.of(65_535, 3)],
  ['Int32Array', Int32Array.of(-70_000, 9)],
  ['Uint32Array', Uint32Array.of(2 ** 32 - 1, 9)],
  ['Float32Array', Float32Array.of(1.5, -0)],
  ['Float64Array', Float64Array.of(Math.PI, Number.NaN)],
  ['BigInt64Array', BigInt64Array.of(-(2n ** 63n), 5n)],
  ['BigUint64Array', BigUint64Array.of(2n ** 64n - 1n, 5n)],
  ['DataView', new DataView(Uint8Array.of(1, 2, 3, 4, 5).buffer, 1, 3)],
  ['ArrayBuffer', Uint8Array.of(9, 8, 7).buffer],
  ['SharedArrayBuffer', sharedBytes(100)],
  ['a view of a SharedArrayBuffer', new Uint16Array(sharedBytes(100), 10, 20)],
  ['a part of a larger buffer', new Uint8Array(randomBytes(1000).buffer, 3, 5)],
  ['a slice of the pool of Buffers', Buffer.from('from the pool')],
  ['a resizable ArrayBuffer', resizable(100)],
  ['the memory of WebAssembly', new Uint8Array(wasmMemory(1), 5, 5000)],
  ['an empty Buffer', Buffer.alloc(0)],
  ['an empty ArrayBuffer', new ArrayBuffer(0)],
  ['an empty SharedArrayBuffer', new SharedArrayBuffer(0)],
  ['an empty DataView', new DataView(new ArrayBuffer(8), 8)],
];

describe.each(kinds)('%s', (_kind, data) => {
  test('crosses with exactly its bytes, copied or borrowed', async () => {
    const pool = open({ threads: 1 });
    const expected = asUint8Array(data).slice();
    for (const input of ['auto', 'copy', 'borrow'] as const) {
      expect(await pool.run(toBase64, [data], { input })).toBe(Buffer.from(expected).toString('base64'));
    }
  });
});

const strings: ReadonlyArray<readonly [string, string]> = [
  ['nothing', ''],
  ['ASCII', 'hello, world'],
  ['ASCII of the length at which writing changes', 'x'.repeat(24)],
  ['ASCII that is a little longer', 'x'.repeat(25)],
  ['a zero character', 'a\0b'],
  ['Latin', 'façade'],
  ['a late character beyond ASCII', 'abcdefghijklmnopqrstuvwü'],
  ['three-byte characters', '日本語'],
  ['surrogate pairs', '😀👩‍👩‍👧‍👦'],
  ['a lone high surrogate', 'a\ud800b'],
  ['a lone low surrogate', '\udc00'],
  ['surrogates in the wrong order', '\udc00\ud800'],
  ['a lone surrogate in a long text', `${'é'.repeat(1000)}\ud800`],
  ['more than the memory between the threads holds', 'long '.repeat(100_000)],
  ['much of it beyond ASCII', 'größer '.repeat(100_000)],
  ['a long text with a lone surrogate', `${'日本'.repeat(100_000)}\udfff`],
  ['a text made of parts', ['a', 'é', '日', '😀'].reduce((text, part) => text + part.repeat(9), '')],
  ['a part of a longer text', 'prefix-then-what-counts-süffix'.slice(7, 25)],
];

test.each(strings)('%s crosses as its UTF-8', async (_what, text) => {
  const pool = open({ threads: 1 });
  expect((await pool.run(hash, ['sha256', text])).toString('hex')).toBe(hex(Buffer.from(text, 'utf8')));
  expect(await pool.run(fromBase64, [await pool.run(toBase64, [text])])).toEqual(Buffer.from(text, 'utf8'));
});

test.each([0, 1, 2, 3, 1023, 1024, 1025, 65_535, 65_536, 65_537, 131_072, 262_144, 262_145, 1_048_576])(
  '%i bytes go in and come back whole',
  async (size) => {
    const pool = open({ threads: 1 });
    const data = randomBytes(size);
    const text = data.toString('base64');
    expect((await pool.run(hash, ['sha256', data])).toString('hex')).toBe(hex(data));
    expect(await pool.run(toBase64, [data])).toBe(text);
    expect((await pool.run(fromBase64, [text])).equals(data)).toBe(true);
    expect((await pool.run(gunzip, [await pool.run(gzip, [data])])).equals(data)).toBe(true);
  },
);

describe('a result', () => {
  test.each([1, 1024, 1025, 65_535, 65_536, 1_000_000])(
    'of %i bytes is a Buffer that nobody else uses',
    async (size) => {
      const pool = open({ threads: 1 });
      const text = Buffer.alloc(size, 1).toString('base64');
      const [first, second] = await Promise.all([pool.run(fromBase64, [text]), pool.run(fromBase64, [text])]);
      expect(Buffer.isBuffer(first)).toBe(true);
      expect(first.buffer).not.toBe(second.buffer);
      first.fill(255);
      expect(second.equals(Buffer.alloc(size, 1))).toBe(true);
      const third = await pool.run(fromBase64, [text]);
      expect(third.equals(Buffer.alloc(size, 1))).toBe(true);
    },
  );

  test('may be transferred to another thread', async () => {
    for (const size of [10, 2000, 50_000]) {
      const bytes = await open().run(fromBase64, [Buffer.alloc(size, 5).toString('base64')]);
      const moved = structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
      expect(bytes.byteLength).toBe(0);
      expect(new Uint8Array(moved).every((byte) => byte === 5)).toBe(true);
    }
  });

  test('keeps its own value among thousands of others of every kind', async () => {
    const pool = open({ threads: 2 });
    const file = new URL('../package.json', import.meta.url);
    const { size } = await pool.run(stat, [file]);
    const runs = Array.from({ length: 3000 }, (_, i): Promise<unknown> => {
      if (i % 100 === 0) return pool.run(readFile, [file]).then((bytes) => bytes.length === size);
      if (i % 100 === 1) return pool.run(stat, [file]).then((stats) => stats.size === size);
      if (i % 2 === 0)
        return pool.run(hash, ['sha256', `${i}`]).then((digest) => digest.toString('hex') === hex(`${i}`));
      return pool.run(toBase64, [`${i}`]).then((text) => text === Buffer.from(`${i}`).toString('base64'));
    });
    expect((await Promise.all(runs)).every(Boolean)).toBe(true);
  });

  test('settles in the order in which the tasks ended', async () => {
    const pool = open({ threads: 1 });
    const runs = Array.from({ length: 5000 }, (_, i) => [i, pool.run(hash, ['md5', `${i}`])] as const);
    expect(await inOrder(runs)).toEqual(runs.map(([i]) => i));
  });
});
