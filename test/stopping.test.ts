import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import {
  deflate,
  fromBase64,
  gunzip,
  gzip,
  hash,
  inflate,
  noop,
  pbkdf2,
  readFile,
  scrypt,
  spin,
  toBase64,
  writeFile,
} from '../lib/ops.js';
import { MIB, temporaryFolder } from './ops/support.js';
import { rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { SLOWNESS } from './support/program.js';

const inFolder = temporaryFolder();

/**
 * What this process may use of the processor until a thread is free again: not time, of which others may take any part. A
 * body looks at its stop flag every millisecond.
 */
const SOON_MS = 250 * SLOWNESS;

/** Milliseconds of processor time from now on. */
function stopwatch(): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
}

/** Not one byte of it is in memory: the system has one page of zeros for all. */
const zeros = new Uint8Array(1024 * MIB);

/** Text of two letters, which zlib finds hardest: half a MiB a second at level 9. */
function twoLetters(size: number): Buffer {
  const text = Buffer.alloc(size);
  let state = 1;
  for (let i = 0; i < size; ++i) {
    state = (state * 48_271) % 2_147_483_647;
    text[i] = 48 + ((state >> 16) & 1);
  }
  return text;
}

/** Data of zlib's format that is made of empty blocks, four in five bytes: nothing comes out, however long it is read. */
function emptyBlocks(size: number): Buffer {
  const blocks = Buffer.alloc(size, Buffer.from([0x02, 0x08, 0x20, 0x80, 0x00]));
  return Buffer.concat([Buffer.from([0x78, 0x9c]), blocks]);
}

function sparseFile(name: string, size: number): string {
  const file = openSync(inFolder(name), 'w');
  writeSync(file, 'end', size - 3);
  closeSync(file);
  return inFolder(name);
}

type Options = { readonly signal?: AbortSignal; readonly timeoutMs?: number };

/** What would hold a thread for seconds if nobody stopped it. */
const long: Record<string, () => (pool: Pool, options: Options) => Promise<unknown>> = {
  'a hash': () => (pool, options) => pool.run(hash, ['sha3-512', zeros], options),
  'a gzip at level 9': () => {
    const data = twoLetters(4 * MIB);
    return (pool, options) => pool.run(gzip, [data, { level: 9 }], options);
  },
  'a gzip at level 1': () => (pool, options) => pool.run(gzip, [zeros, { level: 1 }], options),
  'a gzip that stores': () => (pool, options) => pool.run(gzip, [zeros, { level: 0 }], options),
  'a deflate with a strategy': () => (pool, options) => pool.run(deflate, [zeros, { strategy: 2 }], options),
  'an inflate of nothing but empty blocks': () => {
    const data = emptyBlocks(256 * MIB);
    return (pool, options) => pool.run(inflate, [data], options);
  },
  'a gunzip of a bomb': () => {
    const bomb = gzipSync(zeros, { level: 1 });
    return (pool, options) => pool.run(gunzip, [bomb], options);
  },
  'a toBase64': () => (pool, options) => pool.run(toBase64, [zeros.subarray(0, 380 * MIB)], options),
  'a readFile': () => {
    const path = sparseFile('sparse', 2048 * MIB);
    return (pool, options) => pool.run(readFile, [path], options);
  },
  'a writeFile': () => (pool, options) => pool.run(writeFile, [inFolder('written'), zeros], options),
  'a spin': () => (pool, options) => pool.run(spin, [60_000], options),
};

describe.each(Object.entries(long))('%s', (_, prepare) => {
  test('that is aborted while it runs frees its thread at once, and so does one that has run too long', async () => {
    const run = prepare();
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const aborted = rejection(run(pool, { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it has begun');
    const sinceAbort = stopwatch();
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
    await pool.run(noop);
    expect(sinceAbort()).toBeLessThan(SOON_MS);

    expect(await rejection(run(pool, { timeoutMs: 20 }))).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    const sinceTimeout = stopwatch();
    await pool.run(noop);
    expect(sinceTimeout()).toBeLessThan(SOON_MS);
    rmSync(inFolder('written'), { force: true });
  });
});

// Its text is copied on the event loop, so there cannot be enough of it for seconds.
test.each([
  ['of text', 'A'],
  ['of what is passed over', ' '],
])('a fromBase64 %s that is aborted ends long before its time', async (_, character) => {
  const text = character.repeat(128 * MIB);
  /** Nanoseconds of processor time. */
  const took = async (hasBegun: (controller: AbortController) => void): Promise<number> => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const ended = Promise.allSettled([pool.run(fromBase64, [text], { signal: controller.signal })]);
    await until(() => pool.stats().running === 1, 'it has begun');
    hasBegun(controller);
    await ended;
    await until(() => pool.stats().cpuNs.count === 1, 'its time is counted');
    return pool.stats().cpuNs.max;
  };
  const whole = await took(() => {});
  expect(await took((controller) => controller.abort())).toBeLessThan(whole / 2);
});

describe('what calls a library that cannot be stopped', () => {
  const unstoppable: Record<string, (pool: Pool, options: Options) => Promise<unknown>> = {
    pbkdf2: (pool, options) => pool.run(pbkdf2, ['a', 'b', 1_000_000, 32, 'sha512'], options),
    scrypt: (pool, options) => pool.run(scrypt, ['a', 'b', 32, { N: 2 ** 17, maxmem: 2 ** 30 }], options),
  };

  test.each(Object.entries(unstoppable))('rejects at once all the same: %s', async (_, run) => {
    const pool = open({ threads: 1 });
    const controller = new AbortController();
    const aborted = rejection(run(pool, { signal: controller.signal }));
    await until(() => pool.stats().running === 1, 'it has begun');
    const sinceAbort = stopwatch();
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
    const rejected = sinceAbort();
    await pool.run(noop); // when the key would have been done
    expect(rejected).toBeLessThan(sinceAbort() / 2);
  });

  test.each(Object.entries(unstoppable))('frees its thread when it is done: %s', async (_, run) => {
    const pool = open({ threads: 1 });
    expect(await rejection(run(pool, { timeoutMs: 10 }))).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT' });
    expect(pool.stats()).toMatchObject({ running: 1, timedOut: 1 });
    await pool.run(noop);
    expect(pool.stats()).toMatchObject({ timedOut: 1, fulfilled: 1 });
  });
});

test('many that are aborted keep no memory', async () => {
  const pool = open({ threads: 2 });
  const some = zeros.subarray(0, 256 * MIB);
  const bomb = gzipSync(some, { level: 1 });
  const grown = async (times: number): Promise<number> => {
    for (let i = 0; i < times; ++i) {
      const controller = new AbortController();
      const { signal } = controller;
      const ended = Promise.allSettled([
        pool.run(toBase64, [some], { signal }),
        pool.run(gunzip, [bomb], { signal }),
        pool.run(gzip, [some, { level: 0 }], { signal }),
        pool.run(hash, ['sha3-512', some], { signal }),
      ]);
      await pool.run(noop); // they take turns
      controller.abort();
      await ended;
    }
    await pool.run(noop);
    return process.memoryUsage.rss();
  };
  const before = await grown(10);
  expect((await grown(50)) - before).toBeLessThan(256 * MIB);
  expect(pool.stats().cancelled).toBeGreaterThan(100);
});
