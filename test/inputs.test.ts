import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hash, pbkdf2, scrypt, toBase64 } from '../lib/ops.js';
import { hold, rejection } from './support/gate.js';
import { wasmMemory } from './support/memory.js';
import { open } from './support/pools.js';

const hex = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const KIB = 1024;

function detach(data: Uint8Array): void {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
}

/** Hashes the data while it is overwritten before the task begins: whose bytes does the task read? */
async function hashWhileOverwritten(data: Uint8Array, input?: 'auto' | 'copy' | 'borrow' | 'move'): Promise<string> {
  const pool = open({ threads: 1 });
  const held = await hold(pool);
  const run = pool.run(hash, ['sha256', data], input && { input });
  if (data.byteLength > 0) data.fill(1);
  await held.release();
  return (await run).toString('hex');
}

describe("input 'auto'", () => {
  test.each([1, 64 * KIB - 1, 64 * KIB])('copies %i bytes', async (size) => {
    const before = hex(Buffer.alloc(size));
    expect(await hashWhileOverwritten(Buffer.alloc(size))).toBe(before);
    expect(await hashWhileOverwritten(new Uint8Array(size), 'auto')).toBe(before);
  });

  test('borrows more than 64 KiB', async () => {
    const size = 64 * KIB + 1;
    expect(await hashWhileOverwritten(new Uint8Array(size))).toBe(hex(new Uint8Array(size).fill(1)));
  });

  test('copies each of several inputs, also when they are too large together', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const [password, salt] = [Buffer.alloc(64 * KIB, 2), Buffer.alloc(64 * KIB, 3)];
    const runs = Array.from({ length: 8 }, () => pool.run(pbkdf2, [password, salt, 1, 32, 'sha256']));
    const undisturbed = pool.run(pbkdf2, [Buffer.from(password), Buffer.from(salt), 1, 32, 'sha256'], {
      input: 'borrow',
    });
    password.fill(9);
    salt.fill(9);
    await held.release();
    const expected = (await undisturbed).toString('hex');
    for (const key of await Promise.all(runs)) expect(key.toString('hex')).toBe(expected);
  });
});

describe("input 'copy'", () => {
  test.each([
    ['a Uint8Array', (size: number) => new Uint8Array(size)],
    ['a Buffer', (size: number) => Buffer.alloc(size)],
    ['a Float64Array', (size: number) => new Float64Array(size / 8)],
    ['shared memory', (size: number) => new Uint8Array(new SharedArrayBuffer(size))],
  ])('protects %s of any size', async (_kind, make) => {
    for (const size of [8, 64 * KIB, 128 * KIB, 256 * KIB, 1024 * KIB]) {
      expect(await hashWhileOverwritten(make(size) as Uint8Array, 'copy')).toBe(hex(new Uint8Array(size)));
    }
  });
});

describe("input 'borrow'", () => {
  test.each([1, 1024 * KIB])('reads %i bytes where they are', async (size) => {
    expect(await hashWhileOverwritten(new Uint8Array(size), 'borrow')).toBe(hex(new Uint8Array(size).fill(1)));
  });

  test('keeps memory that nobody else holds until the task has settled', async () => {
    const pool = open({ threads: 1 });
    const held = await hold(pool);
    const runs = Array.from({ length: 64 }, (_, i) =>
      pool.run(hash, ['sha256', new Uint8Array(100 * KIB).fill(i)], { input: 'borrow' }),
    );
    for (let i = 0; i < 100; ++i) new Uint8Array(1024 * KIB).fill(255); // gives the collector something to do
    await held.release();
    const digests = (await Promise.all(runs)).map((digest) => digest.toString('hex'));
    expect(digests).toEqual(runs.map((_, i) => hex(new Uint8Array(100 * KIB).fill(i))));
  });
});

describe("input 'move'", () => {
  test.each([1, 64 * KIB, 1024 * KIB])("detaches the caller's %i bytes at once", async (size) => {
    const data = new Uint8Array(size).fill(6);
    const run = open().run(hash, ['sha256', data], { input: 'move' });
    expect(data.byteLength).toBe(0);
    expect((await run).toString('hex')).toBe(hex(new Uint8Array(size).fill(6)));
  });

  test('reads only the part that was given', async () => {
    const whole = new Uint8Array(randomBytes(5000));
    const expected = hex(whole.slice(100, 300));
    const run = open().run(hash, ['sha256', whole.subarray(100, 300)], { input: 'move' });
    expect(whole.byteLength).toBe(0);
    expect((await run).toString('hex')).toBe(expected);
  });

  test.each([
    ['a part of the pool of Buffers', () => Buffer.from('from the pool')],
    ['the memory of WebAssembly', () => new Uint8Array(wasmMemory(4))],
  ])('copies %s, which cannot be detached', async (_what, make) => {
    const before = hex(make());
    expect(await hashWhileOverwritten(make(), 'move')).toBe(before);
  });

  test('leaves shared memory where it is', async () => {
    const data = new Uint8Array(new SharedArrayBuffer(100));
    expect((await open().run(hash, ['sha256', data], { input: 'move' })).toString('hex')).toBe(
      hex(new Uint8Array(100)),
    );
    expect(data.byteLength).toBe(100);
  });

  test('cannot take two parts of the same memory', async () => {
    const whole = new Uint8Array(64);
    const run = open().run(pbkdf2, [whole.subarray(0, 32), whole.subarray(32), 1, 16, 'sha256'], { input: 'move' });
    expect(await rejection(run)).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });
});

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
    const error = rejection(pool.run(hash, ['sha256', data]));
    detach(data);
    await held.release();
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('rejects when it was detached while it waited for room', async () => {
    const pool = open({ threads: 1, capacity: 1, overflow: 'wait' });
    const held = await hold(pool);
    const data = new Uint8Array(100 * KIB);
    const queued = pool.run(hash, ['sha256', 'queued']);
    const error = rejection(pool.run(hash, ['sha256', data]));
    expect(pool.stats().waiting).toBe(1);
    detach(data);
    await held.release();
    await queued;
    expect(await error).toMatchObject({ code: 'ERR_OFFLOOP_DETACHED' });
  });

  test('rejects when it is one of several', async () => {
    expect(await rejection(open().run(scrypt, ['password', detached(), 16]))).toMatchObject({
      code: 'ERR_OFFLOOP_DETACHED',
    });
  });
});
