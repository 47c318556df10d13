/** Streams that wait: nobody runs ahead of the other side, and whoever stops, stops all of it. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzip, gzip, hash, readFile, toBase64, writeFile } from '../lib/ops.js';
import { MIB, temporaryFolder } from './ops/support.js';
import { hold, rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { positionIn } from './support/proc.mjs';
import { bytesFrom, isOpen, sent, slowToPack } from './support/streams.js';

const inFolder = temporaryFolder();
const REASON = new Error('on purpose');

/** A file of so many zeros that take no room. */
function sparse(name: string, size: number): string {
  const path = inFolder(name);
  closeSync(openSync(path, 'w'));
  truncateSync(path, size);
  return path;
}

describe('a reader that is slow', () => {
  it('is not run ahead of', async () => {
    const pool = open();
    const path = sparse('slow', 1024 * MIB);
    const reader = pool.readable(readFile, [path]).getReader();
    expect(isOpen(path)).toBe(false); // nobody has asked yet
    let read = 0;
    for (let i = 0; i < 50; ++i) {
      read += (await reader.read()).value?.byteLength ?? 0;
      await pool.drain();
      expect(positionIn(path)).toBe(read);
    }
    expect(read).toBe(50 * 65_536);
    await reader.cancel();
  });

  it('is run ahead of as far as it wants', async () => {
    const pool = open();
    const path = sparse('ahead', 64 * MIB);
    const reader = pool.readable(readFile, [path], { highWaterMark: 4 * MIB }).getReader();
    await until(() => (positionIn(path) ?? 0) >= 4 * MIB, 'it is read ahead');
    await pool.drain();
    expect(positionIn(path)).toBe(4 * MIB);
    await reader.read();
    await until(() => (positionIn(path) ?? 0) > 4 * MIB, 'the next is read');
    await pool.drain();
    expect(positionIn(path)).toBeLessThanOrEqual(5 * MIB);
    await reader.cancel();
  });

  it('keeps the source of a transform waiting', async () => {
    const pool = open();
    const path = sparse('through', 1024 * MIB);
    const encoded = pool.readable(readFile, [path]).pipeThrough(pool.transform(toBase64));
    const reader = encoded.getReader();
    for (let i = 1; i <= 20; ++i) {
      await reader.read();
      for (let turn = 0; turn < 5; ++turn) await pool.drain();
      expect(positionIn(path)).toBeLessThanOrEqual((i + 4) * 65_536);
    }
    await reader.cancel();
  });

  it('does not have a small chunk become a large one before it reads', async () => {
    const pool = open();
    const packed = zlib.gzipSync(Buffer.alloc(256 * MIB), { level: 9 }); // 255 KiB
    const { readable, writable } = pool.transform(gunzip);
    const writer = writable.getWriter();
    let isWritten = false;
    const written = writer.write(packed).then(() => {
      isWritten = true;
    });
    const reader = readable.getReader();
    const before = process.memoryUsage().arrayBuffers;
    let largest = 0;
    for (let read = 0; read < 256 * MIB; ) {
      const { value } = await reader.read();
      read += value?.byteLength ?? 0;
      if (read < 255 * MIB) expect(isWritten).toBe(false);
      largest = Math.max(largest, process.memoryUsage().arrayBuffers - before);
    }
    expect(largest).toBeLessThan(128 * MIB); // garbage, most of it
    await written;
    await reader.cancel();
  });

  it('leaves the thread to others', async () => {
    const pool = open({ threads: 1 });
    const reader = pool.readable(readFile, [sparse('shared', MIB)]).getReader();
    const { readable, writable } = pool.transform(gunzip);
    const writer = writable.getWriter();
    writer.write(zlib.gzipSync(Buffer.alloc(MIB))).catch(() => {});
    await reader.read();
    expect(await pool.run(hash, ['md5', ''])).toHaveLength(16);
    await until(() => pool.stats().running === 0, 'nobody holds the thread');
    await Promise.all([reader.cancel(), readable.cancel()]);
  });
});

describe('a sink that is slow', () => {
  it('keeps the writer waiting, in order, and closes when all is written', async () => {
    const pool = open({ threads: 1 });
    const path = inFolder('order');
    const held = await hold(pool);
    const stream = pool.writable(writeFile, [path], { highWaterMark: 2 });
    const writer = stream.getWriter();
    const settled: string[] = [];
    const note = (name: string) => () => void settled.push(name);
    expect(writer.desiredSize).toBe(2);
    const writes = Array.from({ length: 5 }, (_, i) => writer.write(`${i}`).then(note(`${i}`)));
    expect(writer.desiredSize).toBe(-3);
    const ready = writer.ready.then(note('ready'));
    await new Promise(setImmediate);
    expect(settled).toEqual([]);
    await held.release();
    const wrote = Promise.all(writes);
    await ready;
    await Promise.all([wrote, writer.close().then(note('closed'))]);
    expect(settled.filter((name) => name !== 'ready')).toEqual(['0', '1', '2', '3', '4', 'closed']);
    expect(settled.indexOf('ready')).toBeGreaterThan(settled.indexOf('2'));
    expect(readFileSync(path, 'utf8')).toBe('01234');
    expect(isOpen(path)).toBe(false);
  });

  it('has taken a chunk when the write is done', async () => {
    const path = inFolder('taken');
    const writer = open().writable(writeFile, [path]).getWriter();
    const chunk = Buffer.alloc(3 * MIB, 'a');
    await writer.write(chunk);
    chunk.fill('b');
    expect(readFileSync(path).equals(Buffer.alloc(3 * MIB, 'a'))).toBe(true);
    await writer.write(chunk);
    await writer.close();
    expect(
      readFileSync(path)
        .subarray(3 * MIB)
        .equals(chunk),
    ).toBe(true);
  });

  it('waits in a pipe for whoever reads it', async () => {
    const path = inFolder('fifo');
    execFileSync('mkfifo', [path]);
    const pool = open();
    const read = bytesFrom(pool.readable(readFile, [path]));
    const writer = pool.writable(writeFile, [path]).getWriter();
    for (let i = 0; i < 40; ++i) await writer.write(Buffer.alloc(100_000, i));
    await writer.close();
    const all = await read;
    expect(all.length).toBe(4_000_000);
    expect(all.every((byte, at) => byte === Math.floor(at / 100_000))).toBe(true);
  });
});

describe('whoever stops', () => {
  it('a readable closes its file', async () => {
    const pool = open();
    const path = sparse('cancelled', 64 * MIB);
    const stream = pool.readable(readFile, [path]);
    for await (const chunk of stream) {
      expect(chunk.byteLength).toBe(65_536);
      expect(isOpen(path)).toBe(true);
      break;
    }
    await pool.drain();
    expect(isOpen(path)).toBe(false);
  });

  it('a writable closes its file, and leaves what was written', async () => {
    const pool = open();
    const path = inFolder('aborted');
    const writer = pool.writable(writeFile, [path]).getWriter();
    await writer.write('so far');
    expect(isOpen(path)).toBe(true);
    await writer.abort(REASON);
    await pool.drain();
    expect(isOpen(path)).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('so far');
    await expect(writer.closed).rejects.toBe(REASON);
  });

  it('a writable in the middle of a large chunk need not wait for it', async () => {
    const pool = open({ threads: 1 });
    const path = inFolder('fifo2');
    execFileSync('mkfifo', [path]);
    const pipe = openSync(path, 'r+'); // nobody will read what does not fit
    const writer = pool.writable(writeFile, [path]).getWriter();
    const written = rejection(writer.write(Buffer.alloc(MIB)));
    await until(() => pool.stats().running === 1, 'the thread is in it');
    await writer.abort(REASON);
    expect(await written).toBe(REASON);
    expect(pool.stats().running).toBe(1); // the thread is still there
    closeSync(pipe); // EPIPE lets it go
    await pool.drain();
    expect(isOpen(path)).toBe(false);
  });

  it.each(['cancels', 'aborts'] as const)(
    'a transform that somebody %s in the middle of a chunk stops it',
    async (how) => {
      const pool = open({ threads: 1 });
      const { readable, writable } = pool.transform(gzip, [{ level: 9 }]);
      const [reader, writer] = [readable.getReader(), writable.getWriter()];
      const closed = Promise.allSettled([reader.closed, writer.closed]);
      const written = rejection(writer.write(slowToPack(MIB)));
      await until(() => pool.stats().running === 1, 'the thread is in it');
      await (how === 'cancels' ? reader.cancel(REASON) : writer.abort(REASON));
      expect(await written).toBe(REASON);
      await pool.drain();
      const [read, wrote] = await closed;
      expect(wrote).toEqual({ status: 'rejected', reason: REASON });
      expect(read?.status).toBe(how === 'cancels' ? 'fulfilled' : 'rejected');
    },
  );

  it('a transform that waits for its reader need not wait longer', async () => {
    for (const how of ['cancel', 'abort'] as const) {
      const pool = open();
      const { readable, writable } = pool.transform(gunzip);
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      const written = rejection(writer.write(zlib.gzipSync(Buffer.alloc(MIB))));
      await pool.drain(); // there is a chunk
      await (how === 'cancel' ? readable.cancel(REASON) : writer.abort(REASON));
      expect(await written).toBe(REASON);
    }
  });

  it('a stream before it has begun opens nothing', async () => {
    const pool = open();
    const path = inFolder('never');
    await pool.writable(writeFile, [path]).abort();
    await pool.readable(readFile, [path]).cancel();
    expect(() => readFileSync(path)).toThrow('ENOENT');
    await expect(pool.readable(readFile, [path]).getReader().read()).rejects.toThrow('ENOENT');
  });

  it('reading does not wait for a pipe that tells nothing', async () => {
    const pool = open();
    const path = inFolder('silent');
    execFileSync('mkfifo', [path]);
    const reader = pool.readable(readFile, [path]).getReader();
    const read = reader.read();
    await until(() => pool.stats().running === 1, 'the thread waits');
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
    writeFileSync(path, 'at last');
    await pool.drain();
    expect(isOpen(path)).toBe(false);
  });
});

describe('a signal', () => {
  it('errors a stream in the middle of a read, and an idle one', async () => {
    const pool = open();
    const path = sparse('signal', 64 * MIB);
    for (const idle of [true, false]) {
      const controller = new AbortController();
      const reader = pool.readable(readFile, [path], { signal: controller.signal }).getReader();
      await reader.read();
      const read = idle ? undefined : rejection(reader.read());
      controller.abort(REASON);
      for (const error of [await rejection(reader.closed), await (read ?? rejection(reader.read()))]) {
        expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: REASON });
      }
      await pool.drain();
      expect(isOpen(path)).toBe(false);
    }
  });

  it('errors both sides of a transform, and a writable', async () => {
    const pool = open();
    const controller = new AbortController();
    const { signal } = controller;
    const { readable, writable } = pool.transform(gzip, [], { signal });
    const sink = pool.writable(writeFile, [inFolder('sig')], { signal });
    const closed = [readable.getReader(), writable.getWriter(), sink.getWriter()].map(({ closed }) =>
      rejection(closed),
    );
    controller.abort(REASON);
    for (const error of await Promise.all(closed)) expect(error).toMatchObject({ name: 'AbortError', cause: REASON });
  });

  it('that was aborted before errors it at once, and one that is aborted later does nothing', async () => {
    const pool = open();
    const path = inFolder('late');
    writeFileSync(path, 'abc');
    await expect(
      pool
        .readable(readFile, [path], { signal: AbortSignal.abort(REASON) })
        .getReader()
        .read(),
    ).rejects.toMatchObject({ name: 'AbortError', cause: REASON });
    const controller = new AbortController();
    const { signal } = controller;
    expect((await bytesFrom(pool.readable(readFile, [path], { signal }))).toString()).toBe('abc');
    expect(await sent(['abc'], pool.transform(hash, ['md5'], { signal }))).toHaveLength(16);
    controller.abort();
  });
});

describe('options of runs hold for each step', () => {
  it('timeoutMs: a step that is too long errors the stream', async () => {
    const pool = open();
    const { readable, writable } = pool.transform(gzip, [{ level: 9 }], { timeoutMs: 20 });
    const read = rejection(bytesFrom(readable));
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    expect(await rejection(writer.write(slowToPack(MIB)))).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    expect(await read).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT', task: 'gzip' });
  });

  it('deadlineMs: a step that cannot begin in time errors the stream, and its file is closed', async () => {
    const pool = open({ threads: 1 });
    const path = sparse('deadline', MIB);
    const reader = pool.readable(readFile, [path], { deadlineMs: 20 }).getReader();
    reader.closed.catch(() => {});
    await reader.read();
    const held = await hold(pool);
    expect(await rejection(reader.read())).toMatchObject({ code: 'ERR_OFFLOOP_DEADLINE' });
    await held.release();
    await pool.drain();
    expect(isOpen(path)).toBe(false);
  });
});
