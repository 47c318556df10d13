import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pins } from '../lib/memory.js';
import { fromBase64, hash, pbkdf2 } from '../lib/ops.js';
import { hold, rejection } from './support/gate.js';
import { wasmMemory } from './support/memory.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';

const hex = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const KIB = 1024;

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

  test('borrows more than 64 KiB, unless it could be freed meanwhile', async () => {
    const size = 64 * KIB + 1;
    const borrowed = hex(new Uint8Array(size).fill(1));
    const copied = hex(new Uint8Array(size));
    expect(await hashWhileOverwritten(new Uint8Array(size))).toBe(pins === 'all' ? borrowed : copied);
    expect(await hashWhileOverwritten(new Uint8Array(new SharedArrayBuffer(size)))).toBe(borrowed);
    const result = await fromBase64(Buffer.alloc(size).toString('base64'));
    expect(await hashWhileOverwritten(result)).toBe(pins === 'nothing' ? copied : borrowed);
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

test.each([
  ['a proxy of an ArrayBuffer', new Proxy(new ArrayBuffer(8), {})],
  ['what only has its prototype', Object.create(ArrayBuffer.prototype)],
])('%s is no input', (_what, value) => {
  expect(() => hash('sha256', value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

describe('where memory cannot be pinned', () => {
  /** What offloop tries out first does not work with this one. */
  const PRELUDE = `
    import 'node:worker_threads'; // it needs one of its own
    globalThis.SharedArrayBuffer = class { constructor() { throw new Error('on purpose'); } };
    const { Pool } = await import('offloop');
    const { hash, spin } = await import('offloop/ops');
    const pool = new Pool({ threads: 1 });
    async function hashWhileOverwritten(input) {
      const controller = new AbortController();
      pool.run(spin, [60_000], { signal: controller.signal }).catch(() => {});
      const data = new Uint8Array(1024 * 1024);
      const run = pool.run(hash, ['sha256', data], { input });
      pool.stats(); // lets it leave
      data.fill(1);
      controller.abort();
      return (await run).toString('hex');
    }
  `;

  test.each([
    ['auto', 'copies at any size', 0],
    ['borrow', 'reads the memory of whoever calls', 1],
  ])("input '%s' %s", async (input, _does, byte) => {
    const outcome = await runProgram(`${PRELUDE} console.log(await hashWhileOverwritten('${input}'));`);
    const digest = hex(new Uint8Array(1024 * KIB).fill(byte));
    expect(outcome).toMatchObject({ code: 0, stdout: `${digest}\n`, stderr: '' });
  });
});
