/** What comes out of streams, and what goes into them. The tests of their behaviour are in test/streams-*.test.ts. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Pool } from '../lib/index.js';
import {
  deflate,
  fromBase64,
  gunzip,
  gzip,
  hash,
  inflate,
  noop,
  readFile,
  scrypt,
  toBase64,
  writeFile,
} from '../lib/ops.js';
import { bytesOf, MIB, temporaryFolder } from './ops/support.js';
import { rejection } from './support/gate.js';
import { type Resizable, resizable, wasmMemory } from './support/memory.js';
import { open } from './support/pools.js';
import { randomNumbers } from './support/random.js';
import { bytesFrom, chunksOf, cut, sent, streamOf, writeAll } from './support/streams.js';

const inFolder = temporaryFolder();
const data = bytesOf(MIB + 1);
const text = data.toString('base64');
/** Text whose windows matter: what is far back comes again. */
const repeating = Buffer.concat([data.subarray(0, 40_000), data.subarray(0, 40_000), data.subarray(7, 9_000)]);

const same = (packed: Buffer) => packed;
/** What is sent through, what must come out, once made comparable. */
const transforms = [
  ['hash', (pool: Pool) => pool.transform(hash, ['sha256']), data, createHash('sha256').update(data).digest(), same],
  ['hash that has no size of its own', (pool: Pool) => pool.transform(hash, ['shake128']), data,
    createHash('shake128').update(data).digest(), same],
  ['toBase64', (pool: Pool) => pool.transform(toBase64), data, Buffer.from(text), same],
  ['fromBase64', (pool: Pool) => pool.transform(fromBase64), Buffer.from(text), data, same],
  ['fromBase64 of text with line breaks', (pool: Pool) => pool.transform(fromBase64),
    Buffer.from(`${text.replace(/.{76}/g, '$&\r\n')}\n`), data, same],
  ['gzip', (pool: Pool) => pool.transform(gzip), repeating, repeating, zlib.gunzipSync],
  ['gzip that only stores', (pool: Pool) => pool.transform(gzip, [{ level: 0 }]), data, data, zlib.gunzipSync],
  ['deflate at its best', (pool: Pool) => pool.transform(deflate, [{ level: 9 }]), repeating, repeating,
    zlib.inflateSync],
  ['gunzip', (pool: Pool) => pool.transform(gunzip), zlib.gzipSync(repeating), repeating, same],
  ['gunzip of several members and padding', (pool: Pool) => pool.transform(gunzip),
    Buffer.concat([zlib.gzipSync(repeating), zlib.gzipSync(''), zlib.gzipSync(data), Buffer.alloc(9)]),
    Buffer.concat([repeating, data]), same],
  ['inflate', (pool: Pool) => pool.transform(inflate), zlib.deflateSync(repeating), repeating, same],
  ['inflate with a small window', (pool: Pool) => pool.transform(inflate, [{ windowBits: 9 }]),
    zlib.deflateSync(repeating, { windowBits: 9 }), repeating, same],
  ['inflate with something behind its end', (pool: Pool) => pool.transform(inflate),
    Buffer.concat([zlib.deflateSync(repeating), data]), repeating, same],
] as const; // biome-ignore format: one a line

describe.each(transforms)('a stream through %s', (_name, through, input, output, undone) => {
  it('makes of all the data what the task makes of it, whatever the chunks', async () => {
    const pool = open({ threads: 2 });
    for (let seed = 1; seed <= 6; ++seed) {
      const random = randomNumbers(seed);
      const most = [70_000, 1000, 300_000][seed % 3] as number;
      const came = await sent(cut(input, most, random), through(pool));
      expect(undone(came).equals(output), `seed ${seed}`).toBe(true);
    }
    expect(undone(await sent([input], through(pool))).equals(output)).toBe(true);
  });

  it('makes the same byte by byte', async () => {
    const pool = open();
    const short = input.subarray(0, 400);
    const whole = await sent([short], through(pool)).catch((error: Error) => error.message);
    const bytes = Array.from(short, (_byte, at) => short.subarray(at, at + 1));
    const cut = await sent(bytes, through(pool)).catch((error: Error) => error.message);
    expect(cut).toEqual(whole);
  });
});

describe('chunks that come out', () => {
  it('are as large as asked for at most, and have memory of their own', async () => {
    const pool = open();
    const path = inFolder('chunks');
    writeFileSync(path, data);
    const packed = zlib.gzipSync(data);
    for (const chunkSize of [1024, 65_536, 100_000, 2 * MIB]) {
      const streams = [
        pool.readable(readFile, [path], { chunkSize }),
        streamOf([packed]).pipeThrough(pool.transform(gunzip, [], { chunkSize })),
      ];
      for (const stream of streams) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of stream) {
          expect(chunk.byteLength).toBeLessThanOrEqual(chunkSize);
          expect(chunk.buffer.byteLength).toBeLessThanOrEqual(2 * chunk.byteLength);
          chunks.push(structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] })); // throws for what is not its own
          expect(chunk.byteLength).toBe(0);
        }
        expect(Buffer.concat(chunks).equals(data)).toBe(true);
      }
    }
  });

  it('are a Buffer, a Uint8Array of a file, and text of toBase64', async () => {
    const pool = open();
    const path = inFolder('kinds');
    writeFileSync(path, 'abc');
    expect(await chunksOf(pool.readable(readFile, [path]))).toEqual([new Uint8Array([97, 98, 99])]);
    expect(await chunksOf(streamOf(['abc']).pipeThrough(pool.transform(toBase64)))).toEqual(['YWJj']);
    const [digest] = await chunksOf(streamOf(['abc']).pipeThrough(pool.transform(hash, ['md5'])));
    expect(digest).toBeInstanceOf(Buffer);
    expect(digest?.toString('hex')).toBe('900150983cd24fb0d6963f7d28e17f72');
  });

  it('are none for an empty file', async () => {
    const path = inFolder('empty');
    writeFileSync(path, '');
    expect(await chunksOf(open().readable(readFile, [path]))).toEqual([]);
  });
});

describe('chunks that are written', () => {
  it('are text or bytes of any kind', async () => {
    const pool = open();
    const path = inFolder('any');
    const bytes = new Uint8Array([104, 105, 10, 0]);
    const chunks = ['grüße', '', bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2), new Uint16Array(bytes.buffer),
      Buffer.from('x'), new Uint8Array(new SharedArrayBuffer(2)), new Uint8Array(wasmMemory(2)),
    ]; // biome-ignore format: they belong together
    const all = Buffer.concat(chunks.map((chunk) => Buffer.from(toBytes(chunk))));
    await writeAll(pool.writable(writeFile, [path]), chunks);
    expect(readFileSync(path).equals(all)).toBe(true);
    expect((await sent(chunks, pool.transform(hash, ['sha1']))).equals(createHash('sha1').update(all).digest())).toBe(
      true,
    );
  });

  it('of base64 are text of which the low bytes count, or bytes', async () => {
    const pool = open();
    expect((await sent(['aGVs', Buffer.from('bG8')], pool.transform(fromBase64))).toString()).toBe('hello');
    expect(await sent(['\u0159WJj'], pool.transform(fromBase64))).toEqual(Buffer.from('\u0159WJj', 'base64'));
  });

  it.each([[1], [null], [undefined], [{}], [[1, 2]], [Symbol('no')], [new Date()]])(
    'must not be %s: the stream is errored with a TypeError that names the chunk',
    async (chunk) => {
      const pool = open();
      const path = inFolder('wrong');
      const error = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('"chunk"') };
      const writer = pool.writable(writeFile, [path]).getWriter();
      writer.closed.catch(() => {});
      await expect(writer.write(chunk as never)).rejects.toMatchObject(error);
      await expect(writer.write('more')).rejects.toMatchObject(error);
      const { readable, writable } = pool.transform(gzip);
      const read = bytesFrom(readable);
      await expect(Promise.all([writeAll(writable, [chunk as never]), read])).rejects.toMatchObject(error);
      await expect(read).rejects.toMatchObject(error);
    },
  );

  it('say nothing of themselves', async () => {
    const liar = Object.defineProperty(new Uint8Array([97, 98, 99]), 'byteLength', { value: 9 });
    expect(await sent([liar], open().transform(gzip))).toEqual(zlib.gzipSync('abc'));
  });

  it('must not be detached', async () => {
    const pool = open();
    const chunk = new Uint8Array(10);
    structuredClone(chunk, { transfer: [chunk.buffer] });
    const { readable, writable } = pool.transform(gzip);
    const read = rejection(bytesFrom(readable));
    expect(await rejection(writeAll(writable, [chunk]))).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED', task: 'gzip' });
    expect(await read).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  it.each([
    ['be detached', new ArrayBuffer(8 * MIB), (buffer) => structuredClone(undefined, { transfer: [buffer] })],
    ['shrink', resizable(8 * MIB), (buffer) => (buffer as Resizable).resize(1000)],
  ] satisfies Array<[string, ArrayBuffer, (buffer: ArrayBuffer) => void]>)(
    'must not %s while they are being taken',
    async (_what, buffer, spoil) => {
      const pool = open();
      const { readable, writable } = pool.transform(toBase64); // cannot take it all before somebody reads
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      const written = rejection(writer.write(new Uint8Array(buffer)));
      const reader = readable.getReader();
      reader.closed.catch(() => {});
      await reader.read();
      spoil(buffer);
      expect(await rejection(readToEnd(reader))).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
      expect(await written).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    },
  );
});

describe('a stream that fails tells what the task would', () => {
  it.each([
    ['garbage', Buffer.from('not gzip'), 'Z_DATA_ERROR'],
    ['half of the data', zlib.gzipSync(data).subarray(0, 1000), 'Z_BUF_ERROR'],
    ['nothing', Buffer.alloc(0), 'Z_BUF_ERROR'],
    ['a broken second member', Buffer.concat([zlib.gzipSync(data), Buffer.from('no')]), 'Z_DATA_ERROR'],
  ])('gunzip of %s, on both sides', async (_what, packed, code) => {
    const pool = open();
    const expected = await rejection(pool.run(gunzip, [packed]));
    const { readable, writable } = pool.transform(gunzip);
    const read = rejection(bytesFrom(readable));
    const wrote = await rejection(writeAll(writable, cut(packed, 5000, randomNumbers(1))));
    for (const error of [wrote, await read]) {
      expect(error).toMatchObject({ ...expected, name: 'OffloopError', task: 'gunzip', message: expected.message });
      expect(error.cause).toMatchObject({ code });
    }
  });

  it('readFile of what is not there, or is a folder', async () => {
    const pool = open();
    for (const path of ['/no/such/file', inFolder('.')]) {
      const expected = await rejection(pool.run(readFile, [path]));
      const error = await rejection(bytesFrom(pool.readable(readFile, [path])));
      expect(error).toMatchObject({ ...expected, message: expected.message, path });
      expect(error.cause).toEqual(expected.cause);
    }
  });

  it('writeFile into what cannot be written, or is full', async () => {
    const pool = open();
    for (const path of ['/no/such/folder/file', inFolder('.'), '/dev/full']) {
      const expected = await rejection(pool.run(writeFile, [path, 'text']));
      const error = await rejection(writeAll(pool.writable(writeFile, [path]), ['text']));
      expect(error).toMatchObject({ ...expected, message: expected.message, path });
      expect(error.cause).toEqual(expected.cause);
    }
  });
});

describe('mistakes throw at once, and name what is wrong', () => {
  const pool = new Pool();
  const path: [string] = ['x'];
  it.each([
    ['a task that cannot be read from', () => pool.readable(gzip as never), '"task" argument'],
    ['a task that cannot be written to', () => pool.writable(readFile as never, path), '"task" argument'],
    ['a task that is no stream', () => pool.transform(scrypt as never), '"task" argument'],
    ['a task without arguments', () => pool.transform(noop as never), '"task" argument'],
    ['no task', () => pool.transform(undefined as never), '"task" argument'],
    ['arguments that are none', () => pool.readable(readFile, 'x' as never), '"args" argument'],
    ['a missing argument', () => pool.transform(hash, [] as never), '"algorithm" argument'],
    ['a wrong argument', () => pool.readable(readFile, [1 as never]), '"path" argument'],
    ['an unknown digest', () => pool.transform(hash, ['sha0']), 'Invalid digest: sha0'],
    ["a wrong option of the task's", () => pool.transform(gzip, [{ level: 10 }]), '"options.level"'],
    ['options that are none', () => pool.transform(gzip, [], 1 as never), '"options" argument'],
    ['a tiny chunk', () => pool.transform(gzip, [], { chunkSize: 1023 }), '"options.chunkSize"'],
    ['a negative mark', () => pool.readable(readFile, path, { highWaterMark: -1 }), '"options.highWaterMark"'],
    ['a wrong option of runs', () => pool.readable(readFile, path, { priority: 256 }), '"options.priority"'],
    ['what is for runs alone', () => pool.transform(gzip, [], { input: 'move' } as never), '"options.input"'],
    ['a signal that is none', () => pool.readable(readFile, path, { signal: {} as never }), '"options.signal"'],
  ])('%s', (_what, begin, message) => {
    expect(begin).toThrow(message);
  });

  it('does not read its arguments again', async () => {
    const options = { level: 0 };
    const packing = open().transform(gzip, [options]);
    options.level = 99;
    expect(zlib.gunzipSync(await sent([data], packing)).equals(data)).toBe(true);
  });

  it('takes a path as it is, whatever it says of itself', async () => {
    const path = inFolder('liar');
    writeFileSync(path, 'abc');
    const liar = Object.defineProperty(Buffer.from(path), 'length', { value: 4 });
    expect(String(await bytesFrom(open().readable(readFile, [liar])))).toBe('abc');
  });

  it('takes options that are inherited, or getters, as the task itself does', async () => {
    class Stored {
      get level() {
        return 0;
      }
    }
    for (const options of [Object.create({ level: 0 }), new Stored()]) {
      const packed = await sent([data], open().transform(gzip, [options]));
      expect(packed.length).toBeGreaterThan(data.length);
    }
  });
});

describe('readers with memory of their own', () => {
  it('get it filled, and back', async () => {
    const path = inFolder('byob');
    writeFileSync(path, data);
    const reader = open().readable(readFile, [path]).getReader({ mode: 'byob' });
    const chunks: Buffer[] = [];
    let memory = new ArrayBuffer(100_000);
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(memory, 7, 99_000));
      memory = value?.buffer as ArrayBuffer;
      expect([memory.byteLength, value?.byteOffset]).toEqual([100_000, 7]);
      if (done) break;
      chunks.push(Buffer.from(value));
    }
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
  });

  it('may want wider elements, and less than there is', async () => {
    const path = inFolder('wide');
    writeFileSync(path, Buffer.from([1, 0, 2, 0, 3, 0, 4, 0]));
    const reader = open().readable(readFile, [path]).getReader({ mode: 'byob' });
    expect((await reader.read(new Uint16Array(3))).value).toEqual(new Uint16Array([1, 2, 3]));
    expect((await reader.read(new Uint8Array(1))).value).toEqual(new Uint8Array([4]));
    expect((await reader.read(new Uint8Array(5))).value).toEqual(new Uint8Array([0]));
    expect((await reader.read(new Uint8Array(5))).done).toBe(true);
  });

  it('may leave it to others in the middle of a read', async () => {
    const path = inFolder('released');
    writeFileSync(path, 'abcdef');
    const stream = open().readable(readFile, [path]);
    const reader = stream.getReader({ mode: 'byob' });
    const read = rejection(reader.read(new Uint8Array(4)));
    reader.releaseLock();
    expect(await read).toBeInstanceOf(TypeError);
    expect((await bytesFrom(stream)).toString()).toBe('abcdef');
  });
});

describe("Node's streams", () => {
  it('read and write them', async () => {
    const pool = open();
    const [from, packed, back] = [inFolder('n1'), inFolder('n2'), inFolder('n3')];
    writeFileSync(from, data);
    await pipeline(
      Readable.fromWeb(pool.readable(readFile, [from])),
      Duplex.fromWeb(pool.transform(gzip)),
      createWriteStream(packed),
    );
    await pipeline(createReadStream(packed), zlib.createGunzip(), Writable.fromWeb(pool.writable(writeFile, [back])));
    expect(readFileSync(back).equals(data)).toBe(true);
  });

  it('go through them', async () => {
    const pool = open();
    const [from, to] = [inFolder('n4'), inFolder('n5')];
    writeFileSync(from, data);
    const source = Readable.toWeb(createReadStream(from));
    await source.pipeThrough(pool.transform(gzip)).pipeTo(Writable.toWeb(createWriteStream(to)));
    expect(zlib.gunzipSync(readFileSync(to)).equals(data)).toBe(true);
  });

  it('hand on an error', async () => {
    const gunzipping = Duplex.fromWeb(open().transform(gunzip));
    const error = await rejection(pipeline(Readable.from([Buffer.from('garbage')]), gunzipping, new Writable()));
    expect(error.cause).toMatchObject({ code: 'Z_DATA_ERROR' });
  });
});

function toBytes(chunk: string | ArrayBufferView | ArrayBuffer): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk);
}

async function readToEnd(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}
