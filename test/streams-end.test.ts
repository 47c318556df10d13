/** Streams whose pool, thread or process ends before they do, and those that nobody has any more. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Pool } from '../lib/index.js';
import { gunzip, gzip, hash, readFile, sleep, toBase64, writeFile } from '../lib/ops.js';
import { MIB, temporaryFolder } from './ops/support.js';
import { hold, rejection, until } from './support/gate.js';
import { collect } from './support/memory.js';
import { doorbells } from './support/offloop.js';
import { open } from './support/pools.js';
import { runProgram, SLOWNESS } from './support/program.js';
import { bytesFrom, isOpen, sent, slowToPack, streamOf } from './support/streams.js';
import { Thread } from './support/thread.js';

const inFolder = temporaryFolder();

function fileOf(name: string, size: number): string {
  const path = inFolder(name);
  closeSync(openSync(path, 'w'));
  truncateSync(path, size);
  return path;
}

describe('a pool that is closed in the middle of a stream', () => {
  it('errors it at its next step, and its file is closed', async () => {
    const pool = open();
    const path = fileOf('closed', MIB);
    const reader = pool.readable(readFile, [path]).getReader();
    await reader.read();
    await pool.close();
    expect(isOpen(path)).toBe(true);
    expect(await rejection(reader.read())).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED', task: 'readFile' });
    expect(isOpen(path)).toBe(false);
  });

  it('lets the step that has been accepted end', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const reader = pool.readable(readFile, [fileOf('ending', MIB)]).getReader();
    const read = reader.read();
    await until(() => pool.stats().queued === 1, 'the step waits');
    const closed = pool.close();
    await held.release();
    expect((await read).value?.byteLength).toBe(65_536);
    await closed;
  });

  it('and told to cancel, stops the step that is under way', async () => {
    const pool = open({ threads: 1 });
    const { readable, writable } = pool.transform(gzip, [{ level: 9 }]);
    const read = rejection(bytesFrom(readable));
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    const written = rejection(writer.write(slowToPack(MIB)));
    await until(() => pool.stats().running === 1, 'the thread is in it');
    await pool.close({ cancel: true });
    expect(await written).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED', task: 'gzip' });
    expect(await read).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  it('errors streams that are made later', async () => {
    const pool = open();
    await pool.close();
    expect(await rejection(sent(['abc'], pool.transform(hash, ['md5'])))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
  });
});

describe('a pool that is full', () => {
  it('errors the stream, whose file is closed all the same', async () => {
    const pool = open({ threads: 1, capacity: 1 });
    const path = fileOf('full', MIB);
    const reader = pool.readable(readFile, [path]).getReader();
    reader.closed.catch(() => {});
    await reader.read();
    const held = await hold(pool);
    const waiting = pool.run(sleep, [0]);
    expect(await rejection(reader.read())).toMatchObject({ code: 'ERR_OFFLOOP_QUEUE_FULL' });
    await until(() => !isOpen(path), 'the file is closed');
    await held.release();
    await waiting;
  });
});

describe('streams of other pools', () => {
  const data = Buffer.alloc(3 * MIB, 'some data');
  const node = Pool.node();
  const shared = Pool.shared('streams', { threads: 2 });
  afterAll(() => Promise.all([node.close(), shared.close()]));

  it.each([
    ["Node's own", node],
    ['shared', shared],
  ])('%s: do the same', async (_kind, pool) => {
    const [from, to] = [inFolder('from'), inFolder('to')];
    writeFileSync(from, data);
    const sink = pool.writable(writeFile, [to]);
    await pool.readable(readFile, [from]).pipeThrough(pool.transform(gzip)).pipeTo(sink);
    expect(zlib.gunzipSync(readFileSync(to)).equals(data)).toBe(true);
    const reader = pool.readable(readFile, [from]).getReader();
    await reader.read();
    await reader.cancel();
    await pool.drain();
    expect(isOpen(from)).toBe(false);
  });
});

describe('a stream that nobody has any more', () => {
  async function collected(condition: () => boolean, what: string): Promise<void> {
    await until(() => {
      collect(1);
      return condition();
    }, what);
  }

  it('closes its file', async () => {
    const pool = open();
    const path = fileOf('abandoned', MIB);
    const begin = async () => {
      await pool.readable(readFile, [path]).getReader().read();
    };
    await begin();
    expect(isOpen(path)).toBe(true);
    await collected(() => !isOpen(path), 'the file is closed');
  });

  it('does so after the step that is under way', async () => {
    const pool = open();
    const path = inFolder('abandoned-fifo');
    execFileSync('mkfifo', [path]);
    void (() => pool.readable(readFile, [path]).getReader().read())();
    await until(() => pool.stats().running === 1, 'the thread waits');
    for (let i = 0; i < 5; ++i) {
      collect(1);
      await setImmediate();
    }
    writeFileSync(path, 'x');
    await pool.drain();
    await collected(() => !isOpen(path), 'the file is closed');
  });

  it('gives its memory back', async () => {
    const pool = open();
    const packed = zlib.gzipSync(Buffer.alloc(MIB));
    const begin = async () => {
      const { readable, writable } = pool.transform(gunzip);
      const written = writable.getWriter().write(packed);
      written.catch(() => {});
      await readable.getReader().read();
    };
    const round = async () => {
      for (let i = 0; i < 500; ++i) await begin();
      for (let i = 0; i < 5; ++i) {
        collect(1);
        await setImmediate();
      }
      return process.memoryUsage.rss();
    };
    await round();
    const before = await round();
    await round();
    expect((await round()) - before).toBeLessThan(30 * MIB); // a window alone is 32 KiB
  });
});

describe('a worker_thread that is terminated', () => {
  it('in the middle of its streams leaves no file open', async () => {
    const [from, to] = [fileOf('thread', 64 * MIB), inFolder('thread-out')];
    const thread = new Thread('streams');
    await thread.do(`
      const pool = new Pool({ threads: 2 });
      kept.reader = pool.readable(ops.readFile, [${JSON.stringify(from)}]).getReader();
      await kept.reader.read();
      kept.writer = pool.writable(ops.writeFile, [${JSON.stringify(to)}]).getWriter();
      await kept.writer.write('abc');
    `);
    expect([isOpen(from), isOpen(to)]).toEqual([true, true]);
    await thread.terminate();
    await until(() => !isOpen(from) && !isOpen(to), 'the files are closed');
  });

  it.each(['own', 'shared', 'node'])('in the middle of a step of its %s pool takes the stream along', async (kind) => {
    const path = inFolder(`step-${kind}`);
    execFileSync('mkfifo', [path]);
    const pipe = openSync(path, 'r+');
    const thread = new Thread('streams');
    await thread.do(`
      const pool = { own: () => new Pool(), shared: () => Pool.shared('steps'), node: () => Pool.node() }['${kind}']();
      kept.writer = pool.writable(ops.writeFile, [${JSON.stringify(path)}]).getWriter();
      kept.writer.write(Buffer.alloc(1 << 20)).catch(() => {});
      kept.writer.closed.catch(() => {});
      const through = pool.transform(ops.gzip, [{ level: 9 }]);
      kept.through = through.readable.getReader();
      const slow = Uint8Array.from({ length: 1 << 20 }, () => (Math.random() < 0.5 ? 97 : 98));
      through.writable.getWriter().write(slow).catch(() => {});
      while (pool.stats().running < 2) await new Promise((go) => setTimeout(go, 1));
    `);
    const terminated = thread.terminate();
    await setImmediate();
    closeSync(pipe); // the write ends, with EPIPE
    await terminated;
    await until(() => !isOpen(path), 'the pipe is closed');
  });
});

describe.each(doorbells)("a process, with the doorbell '%s'", (doorbell) => {
  const PRELUDE = `
    import { execFileSync } from 'node:child_process';
    import { Pool } from 'offloop';
    import * as ops from 'offloop/ops';
    const pool = new Pool({ threads: 2 });
  `;
  const program = (source: string) => runProgram(PRELUDE + source, { doorbell });

  it('does not stay for streams that nobody reads or writes', async () => {
    const { code, stderr } = await program(`
      globalThis.kept = [
        pool.readable(ops.readFile, ['package.json']).getReader(),
        pool.writable(ops.writeFile, ['/dev/null']).getWriter(),
        pool.transform(ops.gzip),
      ];
      await kept[0].read();
      await kept[1].write('abc');
      await kept[2].writable.getWriter().write('abc');
    `);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('stays for a read that is under way', async () => {
    const path = inFolder(`stay-${doorbell}`);
    execFileSync('mkfifo', [path]);
    const { code, stdout, stderr } = await program(`
      const path = ${JSON.stringify(path)};
      pool.readable(ops.readFile, [path]).getReader().read().then(({ value }) => console.log(value.byteLength));
      pool.run(ops.sleep, [50]).then(() => execFileSync('sh', ['-c', 'printf abc > ' + path]));
    `);
    expect([code, stdout, stderr]).toEqual([0, '3\n', '']);
  });

  it.each([
    ['process.exit(7)', 7],
    ["throw new Error('on purpose')", 1],
  ])('ends well by %s in the middle of steps', async (how, expected) => {
    const { code, signal, ms } = await program(`
      const { readable, writable } = pool.transform(ops.gzip, [{ level: 9 }]);
      readable.getReader().read().catch(() => {});
      const slow = Uint8Array.from({ length: 4 << 20 }, () => (Math.random() < 0.5 ? 97 : 98));
      writable.getWriter().write(slow).catch(() => {});
      pool.readable(ops.readFile, ['/dev/zero']).getReader().read();
      while (pool.stats().running === 0) await new Promise(setImmediate);
      setImmediate(() => { ${how} });
    `);
    expect([code, signal]).toEqual([expected, null]);
    expect(ms).toBeLessThan(8000 * SLOWNESS);
  });
});

describe('many streams at once', () => {
  it('share two threads, each in order', async () => {
    const pool = open({ threads: 2 });
    const all = Array.from({ length: 64 }, async (_, i) => {
      const chunks = Array.from({ length: 30 }, (_, j) => `${i}:${j},`);
      const through = streamOf(chunks).pipeThrough(pool.transform(gzip)).pipeThrough(pool.transform(gunzip));
      const text = await bytesFrom(through.pipeThrough(pool.transform(toBase64)));
      return Buffer.from(text.toString(), 'base64').toString() === chunks.join('');
    });
    expect(await Promise.all(all)).toEqual(all.map(() => true));
  });
});
