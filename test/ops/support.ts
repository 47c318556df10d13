/** What the tests of the operations share. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Where sizes are likely to be cut: nothing, one, the limits of copies and pieces, and one more or less of each. */
export const SIZES = [0, 1, 95, 97, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB + 1, MIB, MIB + 1];

/** The same bytes for the same size: stretches of noise, of text and of zeros, so that they compress in part. */
export function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  const noise = createHash('shake256', { outputLength: Math.min(size, 8 * KIB) || 1 })
    .update(String(size))
    .digest();
  for (let at = 0; at < size; at += 24 * KIB) {
    noise.copy(bytes, at);
    bytes.subarray(at + 8 * KIB, at + 16 * KIB).fill(`line ${at} of a text that repeats itself\n`);
  }
  return bytes;
}

/** Every way to hand over the same bytes. */
export function viewsOf(bytes: Buffer): Array<[kind: string, view: ArrayBufferView | ArrayBuffer | SharedArrayBuffer]> {
  const padded = new Uint8Array(bytes.length + 24);
  padded.set(bytes, 8);
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  const own = new Uint8Array(bytes).buffer;
  return [
    ['Buffer', bytes],
    ['Uint8Array in the middle of its buffer', padded.subarray(8, 8 + bytes.length)],
    ['Float64Array', new Float64Array(padded.buffer, 8, bytes.length / 8)],
    ['DataView', new DataView(padded.buffer, 8, bytes.length)],
    ['ArrayBuffer', own],
    ['SharedArrayBuffer', shared],
    ['Uint8Array over a SharedArrayBuffer', new Uint8Array(shared)],
  ];
}

// biome-ignore lint/suspicious/noExplicitAny: errors of every kind are looked into
export type Thrown = any;

export function thrownBy(run: () => unknown): Thrown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

export async function rejectionOf(promise: PromiseLike<unknown>): Promise<Thrown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was rejected');
}

/** A folder of this file's own, removed at the end. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'offloop-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}
