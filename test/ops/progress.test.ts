import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
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
} from '../../lib/ops.js';
import { runWatched, type Watched } from '../support/progress.js';
import { bytesOf, MIB, temporaryFolder } from './support.js';

const inFolder = temporaryFolder();
const large = bytesOf(64 * MIB);

/** Waits for the end, and checks what was told on the way. Returns how often that was. */
async function told({ result, told }: Watched<unknown>, total: number): Promise<number> {
  await result;
  const done = told.map(([done]) => done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(told.every((each) => each[1] === total)).toBe(true);
  expect(told.at(-1)).toEqual([total, total]);
  return told.length;
}

/** The loop may be kept from a short task until its end, and then hears of that alone. */
async function mostTold(run: () => Watched<unknown>, total: number): Promise<number> {
  for (let attempt = 1; attempt < 20; ++attempt) {
    const times = await told(run(), total);
    if (times > 1) return times;
  }
  return told(run(), total);
}

describe('a watched task tells how far it has come, never backwards, and at the end all of it', () => {
  it('hash: bytes', async () => {
    const watched = runWatched(hash, ['sha512', large]);
    expect(await told(watched, large.length)).toBeGreaterThan(1);
    expect(await watched.result).toEqual(createHash('sha512').update(large).digest());
  });

  it.each([
    ['deflate', deflate],
    ['gzip', gzip],
  ])('%s: bytes of the data', async (_, pack) => {
    for (const level of [0, 1])
      expect(await told(runWatched(pack, [large, { level }]), large.length)).toBeGreaterThan(1);
  });

  it.each([
    ['inflate', inflate, deflateSync(large, { level: 1 })],
    ['gunzip', gunzip, gzipSync(large, { level: 1 })],
  ])('%s: bytes of the data, not of what becomes of it', async (_, unpack, packed) => {
    expect(await told(runWatched(unpack, [packed]), packed.length)).toBeGreaterThan(1);
  });

  it('toBase64: bytes, and fromBase64: characters', async () => {
    const encoding = runWatched(toBase64, [large]);
    expect(await told(encoding, large.length)).toBeGreaterThan(1);
    const text = await encoding.result;
    expect(await mostTold(() => runWatched(fromBase64, [text]), text.length)).toBeGreaterThan(1);
  });

  it('writeFile and readFile: bytes', async () => {
    const path = inFolder('large');
    expect(await mostTold(() => runWatched(writeFile, [path, large]), large.length)).toBeGreaterThan(1);
    expect(await mostTold(() => runWatched(readFile, [path]), large.length)).toBeGreaterThan(1);
  });

  it('spin: milliseconds, once for each at most', async () => {
    const times = await told(runWatched(spin, [500]), 500);
    expect(times).toBeGreaterThan(1);
    expect(times).toBeLessThanOrEqual(502);
  });
});

describe('a watched task', () => {
  it.runIf(process.platform === 'linux')('does not know the size of what does not tell it', async () => {
    const { result, told } = runWatched(readFile, ['/proc/kallsyms']);
    const { length } = await result;
    expect(told.at(-1)).toEqual([length, length]);
    expect(told.slice(0, -1).every(([done, total]) => done < length && (total === length || Number.isNaN(total)))).toBe(
      true,
    );
    expect(length).toBeGreaterThan(0);
  });

  it('tells the end of a short input too, and nothing where there is nothing to tell', async () => {
    writeFileSync(inFolder('empty'), '');
    for (const run of [
      runWatched(hash, ['sha256', 'abc']),
      runWatched(gzip, ['']),
      runWatched(gunzip, [gzipSync('')]),
      runWatched(readFile, [inFolder('empty')]),
    ]) {
      await run.result;
      expect(run.told.length).toBe(1);
    }
    const idle = runWatched(noop, []);
    await idle.result;
    expect(idle.told).toEqual([]);
  });

  it('does not tell the end when it fails', async () => {
    const packed = gzipSync(large, { level: 1 });
    const cut = packed.subarray(0, packed.length >> 1);
    const { result, told } = runWatched(gunzip, [cut]);
    await expect(result).rejects.toMatchObject({ code: 'ERR_OFFLOOP_TASK_FAILED' });
    expect(told.length).toBeGreaterThan(1);
    expect(told.every(([done, total]) => done < cut.length && total === cut.length)).toBe(true);
  });
});
