/** Streams behave as Node's own do: the same script on both sees the same, round by round. */
import { writeFileSync } from 'node:fs';
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web';
import { setImmediate } from 'node:timers/promises';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../lib/index.js';
import { fromBase64, gunzip, gzip, readFile, toBase64, writeFile } from '../lib/ops.js';
import { temporaryFolder } from './ops/support.js';
import { open } from './support/pools.js';
import { Player, type Sides } from './support/stream-script.js';
import { bytesFrom, writeAll } from './support/streams.js';

const inFolder = temporaryFolder();

type Act = (player: Player) => void;
type Script = readonly [what: string, acts: readonly Act[]];

const read: Act = (player) => player.read();
const close: Act = (player) => player.close();
const abort: Act = (player) => player.abort();
const cancel: Act = (player) => player.cancel();
const write =
  (chunk: unknown): Act =>
  (player) =>
    player.write(chunk);
const all =
  (...acts: Act[]): Act =>
  (player) => {
    for (const act of acts) act(player);
  };

/** What both implementations show. */
async function compare(acts: readonly Act[], ours: (pool: Pool) => Sides, nodes: () => Sides): Promise<void> {
  const pool = open();
  const expected = await new Player(nodes(), async () => {}).play(acts);
  const seen = await new Player(ours(pool), () => pool.drain()).play(acts);
  expect(seen).toEqual(expected);
  expect(expected.flat().length).toBeGreaterThan(acts.length);
}

describe('a transform does what a TransformStream does that waits for its reader', () => {
  /** Each chunk of three bytes becomes one of four characters, in both. */
  const nodes = () =>
    new TransformStream<unknown, string>(
      {
        transform(chunk, controller) {
          controller.enqueue(bytesOf(chunk).toString('base64'));
        },
      },
      undefined,
      { highWaterMark: 1 },
    );

  it.each<Script>([
    ['is read before anything is written', [read, write('abc'), read, write('def'), close]],
    ['is written before anybody reads', [write('abc'), write('def'), write('ghi'), read, read, read, close, read]],
    ['is written to at once and closed', [all(write('abc'), write('def'), close), read, read, read]],
    ['is closed without a chunk', [read, close, read]],
    ['is closed with nobody reading', [write('abc'), close, read, read]],
    ['is closed twice', [close, close]],
    ['is written to after it was closed', [close, write('abc')]],
    ['has a chunk that is wrong', [write('abc'), read, write(1), read, write('def'), close]],
    ['has a wrong one behind chunks that wait', [all(write('abc'), write('def'), write({})), read, read, read]],
    ['is cancelled at once', [cancel, write('abc'), read, close]],
    ['is cancelled in the middle of a read', [all(read, read), cancel, read, write('abc')]],
    ['is cancelled while chunks wait', [all(write('abc'), write('def'), write('ghi')), cancel, write('jkl')]],
    ['is cancelled when it was closed', [write('abc'), close, cancel, read]],
    ['is cancelled twice', [cancel, cancel]],
    ['is aborted at once', [abort, read, write('abc'), close]],
    ['is aborted in the middle of a read', [all(read, read), abort, write('abc')]],
    ['is aborted with a chunk that nobody has read', [write('abc'), abort, read]],
    ['is aborted twice', [abort, abort]],
    ['is aborted when it was closed', [close, abort, read]],
    ['is cancelled and then aborted', [cancel, abort]],
    ['is aborted and then cancelled', [abort, cancel]],
  ])('that %s', async (_what, acts) => {
    await compare(acts, (pool) => pool.transform(toBase64), nodes);
  });

  it.each([0, 1, 3])('that keeps %d chunks ready', async (highWaterMark) => {
    const writes = Array.from('abcdef', (char) => write(char.repeat(3)));
    await compare(
      [...writes, read, read, read, read, read, read, close, read],
      (pool) => pool.transform(toBase64, [], { highWaterMark }),
      () =>
        new TransformStream<unknown, string>(
          { transform: (chunk, controller) => controller.enqueue(bytesOf(chunk).toString('base64')) },
          undefined,
          { highWaterMark },
        ),
    );
  });
});

describe('a readable does what a ReadableStream of bytes does', () => {
  const CHUNK = 1024;
  const data = Buffer.alloc(2.5 * CHUNK, 'abc');
  const nodes = (highWaterMark = 0) => {
    let at = 0;
    return {
      readable: new ReadableStream(
        {
          type: 'bytes',
          async pull(controller) {
            await setImmediate();
            if (at === data.length) return controller.close();
            controller.enqueue(new Uint8Array(data.subarray(at, at + CHUNK)));
            at = Math.min(at + CHUNK, data.length);
          },
        },
        { highWaterMark },
      ),
    };
  };
  const ours = (pool: Pool, highWaterMark?: number) => {
    const path = inFolder('data');
    writeFileSync(path, data);
    return { readable: pool.readable(readFile, [path], { chunkSize: CHUNK, highWaterMark }) };
  };

  it.each<Script>([
    ['is read to its end', [read, read, read, read, read]],
    ['is read by many at once', [all(read, read, read, read, read), read]],
    ['is cancelled at once', [cancel, read]],
    ['is cancelled between reads', [read, cancel, read]],
    ['is cancelled in the middle of reads', [all(read, read, cancel), read]],
    ['is cancelled at its end', [all(read, read, read, read), cancel]],
  ])('that %s', async (_what, acts) => {
    for (const mark of [0, CHUNK, 10 * CHUNK]) {
      await compare(
        acts,
        (pool) => ours(pool, mark),
        () => nodes(mark),
      );
    }
  });

  it('that is split in two', async () => {
    const [one, two] = ours(open()).readable.tee();
    const [first, second] = await Promise.all([bytesFrom(one), bytesFrom(two)]);
    expect([first.equals(data), second.equals(data)]).toEqual([true, true]);
  });
});

describe('a writable does what a WritableStream with an async sink does', () => {
  const nodes = (highWaterMark?: number) => ({
    writable: new WritableStream<unknown>(
      {
        async write(chunk) {
          bytesOf(chunk);
          await setImmediate();
        },
        async close() {
          await setImmediate();
        },
      },
      { highWaterMark },
    ),
  });

  it.each<Script>([
    ['takes chunks one by one', [write('a'), write('b'), close]],
    ['takes chunks that wait, and is closed behind them', [all(write('a'), write('b'), write('c'), close)]],
    ['is closed without a chunk', [close]],
    ['is closed twice', [all(close, close)]],
    ['is written to after it was closed', [close, write('a')]],
    ['has a wrong chunk', [write(1), write('a'), close]],
    ['has a wrong chunk behind others', [all(write('a'), write(null), write('b'), close)]],
    ['is aborted', [write('a'), abort, write('b'), close]],
    ['is aborted twice', [abort, abort]],
    ['is aborted before anything was written', [abort, close]],
  ])('that %s', async (_what, acts) => {
    for (const highWaterMark of [1, 3]) {
      await compare(
        acts,
        (pool) => ({ writable: pool.writable(writeFile, [inFolder('sink')], { highWaterMark }) }),
        () => nodes(highWaterMark),
      );
    }
  });
});

describe('compression does what CompressionStream and DecompressionStream do', () => {
  const data = Buffer.alloc(300_000, 'some text that repeats itself, ');
  const packed = zlib.gzipSync(data);
  const pack = [(pool: Pool) => pool.transform(gzip), () => new CompressionStream('gzip')] as const;
  const unpack = [(pool: Pool) => pool.transform(gunzip), () => new DecompressionStream('gzip')] as const;

  /** How each side ends: with bytes, or with an error. */
  async function ends({ readable, writable }: Sides, chunks: readonly unknown[], undo: (all: Buffer) => Buffer) {
    const end = (promise: Promise<unknown>) =>
      promise.then(
        (value) => (Buffer.isBuffer(value) ? undo(value).toString('latin1') : 'well'),
        () => 'fails', // with a TypeError on some versions of Node, with zlib's own error on others and here
      );
    const wrote = end(writeAll(writable as WritableStream, chunks));
    return [await end(bytesFrom(readable as ReadableStream<Uint8Array>)), await wrote];
  }

  it.each([
    ['packs', pack, [data.subarray(0, 99), data.subarray(99)], zlib.gunzipSync],
    ['packs nothing', pack, [], zlib.gunzipSync],
    ['packs chunks that are empty', pack, [data.subarray(0, 0), data, data.subarray(0, 0)], zlib.gunzipSync],
    ['unpacks', unpack, [packed.subarray(0, 99), packed.subarray(99)], (all: Buffer) => all],
    ['unpacks what is broken', unpack, [packed.subarray(0, 99), Buffer.alloc(99, 255)], (all: Buffer) => all],
    ['unpacks what is cut off', unpack, [packed.subarray(0, 99)], (all: Buffer) => all],
  ])('that %s', async (_what, [ours, nodes], chunks, undo) => {
    const seen = await ends(ours(open()) as Sides, chunks, undo);
    expect(seen).toEqual(await ends(nodes() as Sides, chunks, undo));
  });

  it('but unpacks two members as zlib does, which some versions of Node refuse', async () => {
    const seen = await ends(open().transform(gunzip) as Sides, [packed, packed], (all) => all);
    expect(seen).toEqual([zlib.gunzipSync(Buffer.concat([packed, packed])).toString('latin1'), 'well']);
  });
});

describe('what Node asks of its own streams', () => {
  it('is true of these', () => {
    const pool = open();
    const through = pool.transform(fromBase64);
    expect(through).toBeInstanceOf(TransformStream);
    expect(through.readable).toBeInstanceOf(ReadableStream);
    expect(through.writable).toBeInstanceOf(WritableStream);
    expect(through.readable).toBe(through.readable);
    expect(() => structuredClone(through, { transfer: [through as never] })).toThrow('locked');
  });
});

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk !== 'string') throw Object.assign(new TypeError(), { code: 'ERR_INVALID_ARG_TYPE' });
  return Buffer.from(chunk);
}
