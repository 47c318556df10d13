import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { freemem } from 'node:os';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../lib/index.js';
import { fromBase64, gunzip, gzip, hash, noop, readFile, toBase64, unlink, writeFile } from '../../lib/ops.js';
import { bytesOf, MIB, rejectionOf, temporaryFolder } from './support.js';

const SIZE = 256 * MIB;
const inFolder = temporaryFolder();
const large = Buffer.concat([bytesOf(SIZE - 3), Buffer.from('end')]);

describe('256 MiB', () => {
  it('are hashed whole', async () => {
    expect(await hash('sha256', large)).toEqual(createHash('sha256').update(large).digest());
  });

  it('are packed as Node packs them, and unpacked whole', async () => {
    const packed = await gzip(large, { level: 1 });
    expect(packed.equals(gzipSync(large, { level: 1 }))).toBe(true);
    expect((await gunzip(packed)).equals(large)).toBe(true);
  });

  it('are stored as Node stores them, and unpacked whole', async () => {
    const stored = await gzip(large, { level: 0 });
    expect(stored.length).toBeGreaterThan(SIZE);
    expect((await gunzip(stored)).equals(large)).toBe(true);
  });

  it('become base64 and bytes again', async () => {
    const text = await toBase64(large);
    expect(text === large.toString('base64')).toBe(true);
    expect((await fromBase64(text)).equals(large)).toBe(true);
  });

  it('are written and read whole', async () => {
    await writeFile(inFolder('large'), large);
    expect(statSync(inFolder('large')).size).toBe(SIZE);
    expect((await readFile(inFolder('large'))).equals(large)).toBe(true);
    await unlink(inFolder('large'));
  });
});

describe('more than 2 GiB', () => {
  it.runIf(freemem() > 6 * 1024 * MIB)('of a file are read whole, which Node refuses', async () => {
    const path = inFolder('sparse');
    const size = 2 ** 31 + 5;
    const file = openSync(path, 'w');
    writeSync(file, 'end', size - 3);
    closeSync(file);
    expect(() => readFileSync(path)).toThrow();
    const bytes = await readFile(path);
    expect(bytes.length).toBe(size);
    expect(bytes.toString('latin1', size - 3)).toBe('end');
    await unlink(path);
  });
});

describe('more bytes than a Buffer can have', () => {
  const size = constants.MAX_LENGTH + 1;

  it.runIf(freemem() > 1.5 * size)('fail the task, and no other', { timeout: 120_000 }, async () => {
    const path = inFolder('too-large');
    writeFileSync(path, '');
    truncateSync(path, size);
    await using pool = new Pool({ threads: 1 });
    const before = pool.run(noop);
    const error = rejectionOf(pool.run(readFile, [path]));
    const after = pool.run(noop);
    expect(await error).toMatchObject({
      code: 'ERR_OFFLOOP_UNSUPPORTED',
      message: `readFile: its result of ${size} bytes is more than the host can hold`,
    });
    await Promise.all([before, after]);
    expect(pool.stats()).toMatchObject({ fulfilled: 2, rejected: 1 });
    await unlink(path);
  });
});
