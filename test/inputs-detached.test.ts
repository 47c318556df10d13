import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { Pool } from '../lib/index.js';
import { gunzip, gzip, hash, pbkdf2, scrypt, stat, toBase64, writeFile } from '../lib/ops.js';
import { hold, rejection, until } from './support/gate.js';
import { collect, wasm } from './support/memory.js';
import { open } from './support/pools.js';

const KIB = 1024;
const MIB = 1024 * KIB;

function detach(data: Uint8Array): void {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
}

describe('a detached input', () => {
  const detached = () => {
    const data = new Uint8Array(10);
    detach(data);
    return data;
  };

  test.each(['auto', 'copy', 'borrow', 'move'] as const)(
    "rejects with input '%s', and nothing else is lost",
    async (input) => {
      const pool = open({ threads: 1 });
      const held = await hold(pool);
      const before = pool.run(hash, ['sha256', 'before']);
      const errors = [detached(), detached().buffer, new DataView(new ArrayBuffer(5))].map((data) => {
        if (data instanceof DataView) structuredClone(data.buffer, { transfer: [data.buffer] });
        return rejection(pool.run(hash, ['sha256', data], { input }));
      });
      const after = pool.run(toBase64, [Buffer.alloc(100 * KIB)]);
      for (const error of await Promise.all(errors))
        expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED', task: 'hash' });
      await held.release();
      expect([(await before).length, (await after).length]).toEqual([32, Math.ceil((100 * KIB) / 3) * 4]);
      expect(pool.stats()).toMatchObject({ rejected: 3, fulfilled: 2, inFlight: 0 });
    },
  );

  test('rejects when it was detached after the run and before the task left JavaScript', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const data = new Uint8Array(100 * KIB);
    const error = rejection(pool.run(hash, ['sha256', data], { input: 'borrow' }));
    detach(data);
    await held.release();
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('rejects when it was detached while it waited for room', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const data = new Uint8Array(100 * KIB);
    const queued = pool.run(hash, ['sha256', 'queued']);
    const error = rejection(pool.run(hash, ['sha256', data], { input: 'borrow' }));
    expect(pool.stats().waiting).toBe(1);
    detach(data);
    await held.release();
    await queued;
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('rejects also where its length is looked at before', async () => {
    const pool = open();
    const view = new DataView(new ArrayBuffer(5));
    structuredClone(view.buffer, { transfer: [view.buffer] });
    const runs = [pool.run(toBase64, [view]), pool.run(pbkdf2, [view, view, 1, 16, 'sha256'])];
    for (const run of runs) expect(await rejection(run)).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('rejects when it is one of several', async () => {
    expect(await rejection(open().run(scrypt, ['password', detached(), 16]))).toMatchObject({
      code: 'ERR_OFFLOOP_DETACHED',
    });
  });
});

/** With 'auto' it depends on the runtime. */
const input = 'borrow';

/** Lets others have the memory, and write to it. */
function giveAway(data: Uint8Array): void {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(data.buffer, [data.buffer as ArrayBuffer]);
  new Uint8Array(receiveMessageOnPort(port2)?.message).fill(255);
  port1.close();
}

describe('an input that is detached while its task runs', () => {
  test.each([
    ['freed', detach],
    ['overwritten by its new owner', giveAway],
  ])('rejects when it is %s', async (_what, takeAway) => {
    const pool = open({ threads: 1 });
    for (let round = 0; round < 4; ++round) {
      const data = new Uint8Array(32 * MIB);
      const error = rejection(pool.run(hash, ['sha512', data], { input }));
      await until(() => pool.stats().running === 1, 'the hash is being computed');
      takeAway(data);
      collect(32 * MIB);
      expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    }
  });

  test('rejects when the memory of WebAssembly grows', async () => {
    const pool = open({ threads: 1 });
    for (let round = 0; round < 4; ++round) {
      const memory = wasm(512);
      const error = rejection(pool.run(hash, ['sha512', memory.buffer], { input }));
      await until(() => pool.stats().running === 1, 'the hash is being computed');
      memory.grow(512);
      collect(32 * MIB);
      expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    }
  });
});

describe('an input that is detached while its task waits', () => {
  test('is read as it was when its new owner frees it, and the task rejects', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offloop-'));
    try {
      const path = join(folder, 'written');
      const pool = open({ threads: 1 });
      const held = await hold(pool);
      const data = new Uint8Array(32 * MIB).fill(5);
      const error = rejection(pool.run(writeFile, [path, data], { input }));
      pool.stats(); // lets it leave
      detach(data);
      collect(32 * MIB);
      await held.release();
      expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
      expect((await readFile(path)).equals(Buffer.alloc(32 * MIB, 5))).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  /** Runs a task whose first input is overwritten by its new owner before the task begins. */
  async function robbed(
    data: Uint8Array,
    run: (pool: Pool, signal: AbortSignal) => Promise<unknown>,
    abort = false,
  ): Promise<Error> {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const controller = new AbortController();
    const error = rejection(run(pool, controller.signal));
    pool.stats(); // lets it leave
    giveAway(data);
    if (abort) controller.abort();
    await held.release();
    return error;
  }

  test('rejects with nothing that the bytes of others say', async () => {
    const packed = new Uint8Array(await gzip(randomBytes(100 * KIB)));
    const corrupt = await robbed(packed, (pool) => pool.run(gunzip, [packed], { input }));
    expect(corrupt).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    const path = new Uint8Array(Buffer.from('/no/such/file'));
    const missing = await robbed(path, (pool) => pool.run(stat, [path], { input }));
    expect(missing).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    expect(missing).not.toHaveProperty('path');
  });

  test('rejects when it is one of several', async () => {
    const salt = new Uint8Array(100 * KIB);
    const error = await robbed(salt, (pool) => pool.run(pbkdf2, ['password', salt, 1, 32, 'sha256'], { input }));
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('leaves the reason alone why a task was never run', async () => {
    const data = new Uint8Array(100 * KIB);
    const error = await robbed(data, (pool, signal) => pool.run(hash, ['md5', data], { input, signal }), true);
    expect(error).toMatchObject({ code: 'ABORT_ERR' });
  });
});

describe('memory that several tasks are given', () => {
  test('is read by all of them, and rejects them all when it is detached', async () => {
    const pool = open({ threads: 2 });
    const data = new Uint8Array(100 * KIB).fill(3);
    const run = () => Array.from({ length: 10 }, () => pool.run(hash, ['sha256', data], { input }));
    const expected = createHash('sha256').update(data).digest('hex');
    for (const digest of await Promise.all(run())) expect(digest.toString('hex')).toBe(expected);
    const held = await hold(pool, 2);
    const errors = run().map(rejection);
    pool.stats(); // lets them leave
    detach(data);
    await held.release();
    for (const error of await Promise.all(errors)) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('goes to the first that it is moved to', async () => {
    const pool = open({ threads: 1 });
    const data = new Uint8Array(100 * KIB).fill(3);
    const expected = createHash('sha256').update(data).digest('hex');
    const first = pool.run(hash, ['sha256', data], { input: 'move' });
    const second = rejection(pool.run(hash, ['sha256', data], { input: 'move' }));
    expect((await first).toString('hex')).toBe(expected);
    expect(await second).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('may be moved while another borrows it, which then rejects', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const data = new Uint8Array(100 * KIB).fill(3);
    const expected = createHash('sha256').update(data).digest('hex');
    const borrower = rejection(pool.run(hash, ['sha256', data], { input: 'borrow' }));
    pool.stats(); // lets it leave
    const owner = pool.run(hash, ['sha256', data], { input: 'move' });
    await held.release();
    expect(await borrower).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
    expect((await owner).toString('hex')).toBe(expected);
  });
});
