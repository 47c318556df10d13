import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { Bytes, InputMode } from '../lib/index.js';
import { pins } from '../lib/memory.js';
import { fromBase64, hash, noop, stat, toBase64 } from '../lib/ops.js';
import { hold } from './support/gate.js';
import { collect, type Growable, growable, type Resizable, resizable, wasm } from './support/memory.js';
import { open } from './support/pools.js';

const KIB = 1024;
const hex = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const asUint8Array = (data: Bytes) =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

/** What a task is given, and what others may do to it meanwhile. */
interface Memory {
  value: Bytes;
  buffer: ArrayBuffer | SharedArrayBuffer;
  /** By JavaScript, of WebAssembly or of the buffer itself. */
  grow?: () => void;
  shrink?: () => void;
}

const under = (view: ArrayBufferView): Memory => ({ value: view, buffer: view.buffer });
const itself = (buffer: ArrayBuffer | SharedArrayBuffer): Memory => ({ value: buffer, buffer });
const inWasm = (size: number, shared: boolean): Memory => {
  const memory = wasm(Math.ceil(size / (64 * KIB)), shared);
  return { value: new Uint8Array(memory.buffer), buffer: memory.buffer, grow: () => void memory.grow(1) };
};
const inResizable = (buffer: Resizable, value: Bytes): Memory => ({
  value,
  buffer,
  grow: () => buffer.resize(2 * buffer.byteLength),
  shrink: () => buffer.resize(0),
});
const inGrowable = (buffer: Growable, value: Bytes): Memory => ({
  value,
  buffer,
  grow: () => buffer.grow(2 * buffer.byteLength),
});

/** 'plain' memory and what is 'resizable' can be transferred; 'wasm' is detached when it grows; the rest stays. */
type Nature = 'plain' | 'resizable' | 'wasm' | 'growable' | 'constant';
const typedArrays = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
const wideArrays = [Float32Array, Float64Array, BigInt64Array, BigUint64Array];

/** Each makes memory of about the size it is asked for. */
const kinds: ReadonlyArray<readonly [string, Nature, (size: number) => Memory | Promise<Memory>]> = [
  ...[...typedArrays, ...wideArrays].map(
    (Kind) => [Kind.name, 'plain', (size: number) => under(new Kind(size / Kind.BYTES_PER_ELEMENT))] as const,
  ),
  ['DataView', 'plain', (size) => under(new DataView(new ArrayBuffer(size + 10), 5, size))],
  ['Buffer', 'plain', (size) => under(Buffer.alloc(size))],
  ['a part of a larger Buffer', 'plain', (size) => under(Buffer.alloc(2 * size).subarray(7, size + 7))],
  ['a slice of the pool of Buffers', 'constant', () => under(Buffer.from('from the pool'))],
  ['a long result', 'constant', async (size) => under(await resultOf(Math.max(size, 64 * KIB)))],
  ['a view of another realm', 'plain', (size) => under(runInNewContext(`new Uint16Array(${size / 2})`))],
  ['an ArrayBuffer of another realm', 'plain', (size) => itself(runInNewContext(`new ArrayBuffer(${size})`))],
  ['ArrayBuffer', 'plain', (size) => itself(new ArrayBuffer(size))],
  ['SharedArrayBuffer', 'constant', (size) => itself(new SharedArrayBuffer(size))],
  ['a view of a SharedArrayBuffer', 'constant', (size) => under(new Int16Array(new SharedArrayBuffer(size), 2))],
  ['a resizable ArrayBuffer', 'resizable', (size) => ((buffer) => inResizable(buffer, buffer))(resizable(size))],
  [
    'a view that tracks the length of a resizable ArrayBuffer',
    'resizable',
    (size) => ((buffer) => inResizable(buffer, new Uint16Array(buffer)))(resizable(size)),
  ],
  [
    'a view of a part of a resizable ArrayBuffer',
    'resizable',
    (size) => ((buffer) => inResizable(buffer, new Uint8Array(buffer, 8, size / 2)))(resizable(size)),
  ],
  ['a growable SharedArrayBuffer', 'growable', (size) => ((buffer) => inGrowable(buffer, buffer))(growable(size))],
  [
    'a view that tracks the length of a growable SharedArrayBuffer',
    'growable',
    (size) => ((buffer) => inGrowable(buffer, new Uint8Array(buffer)))(growable(size)),
  ],
  ['the memory of WebAssembly', 'wasm', (size) => inWasm(size, false)],
  ['the shared memory of WebAssembly', 'growable', (size) => inWasm(size, true)],
];

function resultOf(size: number): Promise<Buffer> {
  return fromBase64(Buffer.alloc(size).toString('base64'));
}

interface Abuse {
  applies(nature: Nature): boolean;
  /** No input mode but 'borrow', which leaves it to the caller, lets this happen where pins do not keep all memory. */
  frees?: true;
  /** Whether memory that was not copied is then detached. */
  detaches(nature: Nature): boolean;
  commit(memory: Memory): void;
}

const transferable = (nature: Nature) => nature === 'plain' || nature === 'resizable';
const always = () => true;
const never = () => false;
const transferList = ({ buffer }: Memory) => [buffer as ArrayBuffer];

const abuses: Record<string, Abuse> = {
  'is transferred': {
    applies: transferable,
    detaches: always,
    commit: (memory) => void structuredClone(memory.buffer, { transfer: transferList(memory) }),
  },
  'is posted to somebody who overwrites it': {
    applies: transferable,
    detaches: always,
    commit(memory) {
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(memory.buffer, transferList(memory));
      new Uint8Array(receiveMessageOnPort(port2)?.message).fill(255);
      port1.close();
    },
  },
  'is transferred to another length': {
    applies: (nature) => transferable(nature) && 'transfer' in ArrayBuffer.prototype,
    detaches: always,
    frees: true,
    commit({ buffer }) {
      const { transfer } = ArrayBuffer.prototype as unknown as { transfer(size: number): ArrayBuffer };
      new Uint8Array(transfer.call(buffer, 2 * buffer.byteLength)).fill(255);
    },
  },
  shrinks: { applies: (nature) => nature === 'resizable', detaches: never, commit: (memory) => memory.shrink?.() },
  grows: {
    applies: (nature) => ['resizable', 'growable', 'wasm'].includes(nature),
    detaches: (nature) => nature === 'wasm',
    commit: (memory) => memory.grow?.(),
  },
  'is forgotten': { applies: always, detaches: never, commit: () => {} },
};

const inputs = ['auto', 'copy', 'borrow', 'move'] as const;
const moments = ['before it leaves JavaScript', 'while it waits'] as const;

/** Whether the task has bytes of its own, so that nothing matters that is done to the caller's. */
function isOwn(nature: Nature, input: InputMode, size: number): boolean {
  if (nature === 'resizable' || input === 'copy' || input === 'move') return true;
  return input === 'auto' && (size <= 64 * KIB || pins !== 'all');
}

const suites = Object.entries(abuses)
  .map(([what, abuse]) => [what, abuse, kinds.filter(([, nature]) => abuse.applies(nature))] as const)
  .filter(([, , abused]) => abused.length > 0);

describe.each(suites)('memory that %s', (_what, abuse, abused) => {
  test.each(abused)('gives the right digest or ERR_OFFLOOP_DETACHED: %s', async (_kind, nature, make) => {
    const pool = open({ threads: 1 });
    const isFreed = abuse.frees ? pins !== 'all' : abuse.detaches(nature) && pins === 'nothing';
    const safe = isFreed ? inputs.filter((input) => input !== 'borrow') : inputs;
    const cases = safe.flatMap((input) =>
      moments.flatMap((moment) => [1 * KIB, 100 * KIB].map((size) => ({ input, moment, size }))),
    );
    const memories = await Promise.all(cases.map(({ size }) => make(size)));
    const held = await hold(pool);
    const runs: Array<Promise<string>> = [];
    const right: string[] = [];
    for (const { input, moment } of cases) {
      const memory = memories.shift() as Memory;
      const bytes = asUint8Array(memory.value);
      for (let i = 0; i < bytes.length; ++i) bytes[i] = i * 7;
      const digest = hex(bytes);
      const isLost = abuse.detaches(nature) && !isOwn(nature, input, bytes.length);
      right.push(isLost ? 'ERR_OFFLOOP_DETACHED' : digest);
      const run = pool.run(hash, ['sha256', memory.value], { input });
      runs.push(
        run.then(
          (result) => result.toString('hex'),
          ({ code }) => code,
        ),
      );
      if (moment === 'while it waits') pool.stats(); // lets it leave
      if (input !== 'move' || memory.buffer.byteLength > 0) abuse.commit(memory);
    }
    collect(100 * KIB);
    await held.release();
    expect(await Promise.all(runs)).toEqual(right);
  });
});

describe('an input that says of itself what is not so', () => {
  const bytes = () => Uint8Array.from({ length: 100 }, (_, i) => i);
  const lies: Record<string, PropertyDescriptorMap> = {
    'its length, a longer one': { byteLength: { value: 5000 }, length: { value: 5000 } },
    'its length, none': { byteLength: { value: 0 }, length: { value: 0 } },
    'where it is': { byteOffset: { value: 50 }, buffer: { value: new ArrayBuffer(1) } },
    'what its parts are': { subarray: { value: () => new Uint8Array(7) } },
  };
  const cases = Object.entries(lies).flatMap(([what, lie]) => inputs.map((input) => [what, input, lie] as const));

  test.each(cases)("is read as it is: %s, with input '%s'", async (_what, input, lie) => {
    const digest = hex(bytes());
    const liar = Object.defineProperties(bytes(), lie);
    expect((await open().run(hash, ['sha256', liar], { input })).toString('hex')).toBe(digest);
  });

  test('is not read beyond its end when it tells another length each time', async () => {
    const pool = open();
    for (let honest = 0; honest < 8; ++honest) {
      let asked = 0;
      const get = () => (++asked > honest ? 2 ** 31 - 2 ** 16 : 100);
      const liar = Object.defineProperty(bytes(), 'byteLength', { get });
      expect(await pool.run(toBase64, [liar])).toBe(Buffer.from(bytes()).toString('base64'));
    }
  });

  test('runs no code of its owner while it is read', async () => {
    const pool = open();
    const get = () => void pool.run(noop);
    const liar = Object.defineProperties(bytes(), { byteLength: { get }, buffer: { get }, byteOffset: { get } });
    for (const input of inputs) {
      const run = pool.run(hash, ['sha256', liar], { input });
      expect((await run).toString('hex')).toBe(hex(bytes()));
      if (input === 'auto') expect(pool.stats()).toMatchObject({ fulfilled: 1, rejected: 0 });
    }
  });

  test('is copied if it is resizable, whatever it is said to be in', async () => {
    const pool = open({ threads: 1 });
    const buffer = resizable(100 * KIB);
    const liar = Object.defineProperty(new Uint8Array(buffer), 'buffer', { value: new ArrayBuffer(1) });
    const held = await hold(pool);
    const digest = hex(new Uint8Array(100 * KIB));
    const run = pool.run(hash, ['sha256', liar], { input: 'borrow' });
    pool.stats(); // lets it leave
    buffer.resize(0);
    await held.release();
    expect((await run).toString('hex')).toBe(digest);
  });

  test('is no path', () => {
    const none = { byteLength: { value: 4 }, length: { value: 0 }, includes: { value: () => false } };
    for (const path of [Object.create(Uint8Array.prototype, none), new Proxy(new Uint8Array(4), {})]) {
      expect(() => stat(path)).toThrow(/The "path" argument must be of type string or an instance of Buffer or URL/);
    }
  });
});
