import { constants, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../lib/index.js';
import { deflate, gunzip, gzip, inflate } from '../../lib/ops.js';
import { bytesOf, KIB, MIB, rejectionOf, SIZES, thrownBy, viewsOf } from './support.js';

const formats = [
  { name: 'deflate', pack: deflate, packByNode: deflateSync, unpack: inflate, unpackByNode: inflateSync },
  { name: 'gzip', pack: gzip, packByNode: gzipSync, unpack: gunzip, unpackByNode: gunzipSync },
];

/** What Node does with it: the bytes, or the error's own terms. */
function outcomeOf(run: () => Buffer): Buffer | { code: string; errno: number; message: string } {
  try {
    return run();
  } catch (error) {
    const { code, errno, message } = error as { code: string; errno: number; message: string };
    return { code, errno, message };
  }
}

async function expectSameOutcome(promise: Promise<Buffer>, byNode: () => Buffer): Promise<void> {
  const expected = outcomeOf(byNode);
  if (Buffer.isBuffer(expected)) {
    expect((await promise).equals(expected)).toBe(true);
  } else {
    const error = await rejectionOf(promise);
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TASK_FAILED', errno: expected.errno });
    expect(error.cause).toMatchObject(expected);
  }
}

describe.each(formats)('$name', ({ pack, packByNode, unpack, unpackByNode }) => {
  const pieces = [128, KIB, 4 * KIB, 16 * KIB].flatMap((piece) => [piece - 1, piece, piece + 1]);

  it.each([...SIZES, ...pieces])('packs %i bytes as Node does, at every level, and back', async (size) => {
    const data = bytesOf(size);
    for (const level of [-1, 0, 1, 6, 8, 9]) {
      const packed = await pack(data, { level });
      expect(packed.equals(packByNode(data, { level }))).toBe(true);
      expect((await unpack(packed)).equals(data)).toBe(true);
    }
  });

  it('packs as Node does under every combination of options', async () => {
    const data = bytesOf(70_000);
    for (const level of [0, 1, 5, 9]) {
      for (const windowBits of [9, 12, 15]) {
        for (const memLevel of [1, 8, 9]) {
          for (let strategy = constants.Z_DEFAULT_STRATEGY; strategy <= constants.Z_FIXED; ++strategy) {
            const options = { level, windowBits, memLevel, strategy };
            expect((await pack(data, options)).equals(packByNode(data, options))).toBe(true);
          }
        }
      }
    }
  });

  it.each(viewsOf(bytesOf(4096)))('takes a %s', async (_, view) => {
    const packed = await pack(view);
    expect(packed).toEqual(packByNode(bytesOf(4096)));
    const bytes = Buffer.from(packed);
    expect(await unpack(new Uint8Array(bytes).buffer)).toEqual(bytesOf(4096));
  });

  it('takes text as its UTF-8', async () => {
    for (const text of ['', 'grüße 🌍', 'ü'.repeat(200_000)]) expect(await pack(text)).toEqual(packByNode(text));
  });

  it('rejects every early end as Node does', async () => {
    const packed = packByNode(bytesOf(2000));
    const cuts = Array.from({ length: packed.length }, (_, cut) => packed.subarray(0, cut));
    await Promise.all(cuts.map((cut) => expectSameOutcome(unpack(cut), () => unpackByNode(cut))));
    expect((await rejectionOf(unpack(packed.subarray(0, -1)))).cause).toMatchObject({
      code: 'Z_BUF_ERROR',
      errno: -5,
      message: 'unexpected end of file',
    });
  });

  it('rejects every changed byte as Node does, or takes it as Node does', async () => {
    const packed = packByNode(bytesOf(600));
    const changed = Array.from(packed, (byte, at) => {
      const copy = Buffer.from(packed);
      copy[at] = byte ^ (1 << (at % 8));
      return copy;
    });
    await Promise.all(changed.map((copy) => expectSameOutcome(unpack(copy), () => unpackByNode(copy))));
  });

  it('accepts only the windows that Node accepts', async () => {
    const packed = packByNode(bytesOf(100_000));
    for (const windowBits of [0, 8, 9, 12, 14, 15]) {
      await expectSameOutcome(unpack(packed, { windowBits }), () => unpackByNode(packed, { windowBits }));
    }
  });

  it('unpacks what was packed for a small window with every window that Node accepts', async () => {
    const data = bytesOf(300_000);
    for (const packedBits of [9, 12]) {
      const packed = packByNode(data, { windowBits: packedBits });
      for (const windowBits of [0, 8, 9, 10, 12, 15]) {
        await expectSameOutcome(unpack(packed, { windowBits }), () => unpackByNode(packed, { windowBits }));
      }
    }
  });

  it('unpacks what is a thousand times larger', async () => {
    const bomb = packByNode(Buffer.alloc(64 * MIB));
    expect(bomb.length).toBeLessThan(70 * KIB);
    const zeros = await unpack(bomb);
    expect(zeros.length).toBe(64 * MIB);
    expect(zeros.every((byte) => byte === 0)).toBe(true);
  });

  it('stops in the middle, both ways', async () => {
    await using pool = new Pool({ threads: 1 });
    const bomb = packByNode(Buffer.alloc(512 * MIB), { level: 1 });
    const long = bytesOf(64 * MIB);
    for (const start of [
      (signal: AbortSignal) => pack(long, { level: 9, pool, signal }),
      (signal: AbortSignal) => unpack(bomb, { pool, signal }),
    ]) {
      const began = performance.now();
      expect(await rejectionOf(start(AbortSignal.timeout(20)))).toMatchObject({ code: 'ABORT_ERR' });
      await pack('x', { pool }); // the thread is free again
      expect(performance.now() - began).toBeLessThan(500);
    }
  });

  it('shares its options with those of the call', async () => {
    await using pool = new Pool({ threads: 1 });
    const expected = packByNode('abc', { level: 1 });
    expect(await pack('abc', { level: 1, pool })).toEqual(expected);
    expect(await pool.run(pack, ['abc', { level: 1 }], { priority: 'low' })).toEqual(expected);
    expect(await pool.run(pack, ['abc'])).toEqual(packByNode('abc'));
  });

  it.each([
    { level: 10 },
    { level: -2 },
    { level: '1' },
    { level: null },
    { level: 1n },
    { level: Infinity },
    { windowBits: 16 },
    { windowBits: 7 },
    { windowBits: 0 },
    { memLevel: 0 },
    { memLevel: 10 },
    { strategy: -1 },
    { strategy: 5 },
  ])('refuses what Node refuses, at once: %o', (options) => {
    const { name, code } = thrownBy(() => packByNode('abc', options as never));
    expect(thrownBy(() => pack('abc', options as never))).toMatchObject({ name, code });
  });

  it('takes absent options for the default, as Node does', async () => {
    const expected = packByNode('abc');
    for (const level of [undefined, Number.NaN]) expect(await pack('abc', { level })).toEqual(expected);
    expect(await pack('abc', { level: 1.5 })).toEqual(packByNode('abc', { level: 1.5 }));
  });

  it.each([undefined, null, 5, {}, []])('throws for data of a wrong type: %o', (data) => {
    for (const task of [pack, unpack]) {
      const error = thrownBy(() => task(data as never));
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      expect(error.message).toContain('"data"');
    }
  });
});

describe('gzip and deflate', () => {
  it('differ in the smallest window, as with Node', async () => {
    expect(await deflate('abc', { windowBits: 8 })).toEqual(deflateSync('abc', { windowBits: 8 }));
    expect(thrownBy(() => gzip('abc', { windowBits: 8 })).code).toBe('ERR_OUT_OF_RANGE');
  });
});

describe('gunzip', () => {
  it('joins members, large and small and empty', async () => {
    const parts = [bytesOf(5), bytesOf(0), bytesOf(300_000), bytesOf(1), bytesOf(128 * KIB)];
    const packed = Buffer.concat(parts.map((part) => gzipSync(part)));
    expect((await gunzip(packed)).equals(Buffer.concat(parts))).toBe(true);
  });

  it.each(['\0', '\0\0\0\0', '\0\xff\xff\xff\xff', '\0\0\0\x80\0'])(
    'does not rely on the size that the last bytes seem to tell: %j',
    async (tail) => {
      const data = bytesOf(9 * MIB);
      const packed = Buffer.concat([gzipSync(data), Buffer.from(tail, 'latin1')]);
      expect((await gunzip(packed)).equals(data)).toBe(true);
    },
  );

  it.each(['\0', '\0\0\0junk', 'junk', '\x1f', '\x1f\x8b', '\x1f\x8bxx', '\x1f\0', '\n'])(
    'takes what follows the last member as Node does: %j',
    async (tail) => {
      const packed = Buffer.concat([gzipSync('abc'), Buffer.from(tail, 'latin1')]);
      await expectSameOutcome(gunzip(packed), () => gunzipSync(packed));
    },
  );
});

describe('inflate', () => {
  /** Blocks without any data, four in five bytes, then one that holds it. */
  const emptyBlocks = (groups: number, data: Buffer) => {
    const blocks = Buffer.alloc(groups * 5, Buffer.from([0x02, 0x08, 0x20, 0x80, 0x00]));
    const last = Buffer.from([1, data.length & 255, data.length >> 8, ~data.length & 255, (~data.length >> 8) & 255]);
    return Buffer.concat([Buffer.from([0x78, 0x9c]), blocks, last, data, deflateSync(data).subarray(-4)]);
  };

  it.each([0, 1, 815, 816, 817, 818, 819, 820, 821, 30_000])(
    'reads on through %i times four empty blocks',
    async (groups) => {
      const packed = emptyBlocks(groups, bytesOf(20_000));
      expect((await inflate(packed)).equals(bytesOf(20_000))).toBe(true);
      const cut = packed.subarray(0, groups * 5);
      await expectSameOutcome(inflate(cut), () => inflateSync(cut));
    },
  );

  it('accepts a header that tells a smaller window than the data needs where Node does', async () => {
    const packed = Buffer.from(deflateSync(bytesOf(300_000)));
    for (let bits = 8; bits <= 15; ++bits) {
      const head = (((bits - 8) << 4) | 8) << 8;
      packed.writeUInt16BE(head + 31 - (head % 31));
      for (const windowBits of [0, 8, 12, 15]) {
        await expectSameOutcome(inflate(packed, { windowBits }), () => inflateSync(packed, { windowBits }));
      }
    }
  });

  it('ignores what follows the data, and asks for a missing dictionary, as Node does', async () => {
    const tailed = Buffer.concat([deflateSync('abc'), Buffer.from('junk')]);
    await expectSameOutcome(inflate(tailed), () => inflateSync(tailed));
    const needsDictionary = deflateSync('aaaaaaaa', { dictionary: Buffer.from('aaa') });
    await expectSameOutcome(inflate(needsDictionary), () => inflateSync(needsDictionary));
  });
});
