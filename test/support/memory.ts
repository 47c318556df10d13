/** Kinds of memory that the language's own types do not tell of, and the collector. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface WebAssemblyOfHost {
  Memory: new (size: { initial: number; maximum?: number; shared?: boolean }) => WebAssemblyMemory;
}
export type Resizable = ArrayBuffer & { resize(size: number): void };
export type Growable = SharedArrayBuffer & { grow(size: number): void };
type WithRoom<Buffer> = new (size: number, options: { maxByteLength: number }) => Buffer;

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyOfHost };

/** Pages of 64 KiB, which cannot be transferred but are detached when the memory grows. */
export function wasmMemory(pages: number): ArrayBuffer {
  return wasm(pages).buffer;
}

/** Has room for twice as many pages. */
export function wasm(pages: number, shared = false): WebAssemblyMemory {
  return new WebAssembly.Memory({ initial: pages, maximum: 2 * pages, shared });
}

/** Has room for twice the size. */
export function resizable(size: number): Resizable {
  return new (ArrayBuffer as unknown as WithRoom<Resizable>)(size, { maxByteLength: 2 * size });
}

/** Has room for twice the size. */
export function growable(size: number): Growable {
  return new (SharedArrayBuffer as unknown as WithRoom<Growable>)(size, { maxByteLength: 2 * size });
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Frees what nobody holds, and has others use the memory. */
export function collect(size: number): void {
  gc();
  for (let i = 0; i < 8; ++i) new Uint8Array(size).fill(255);
}
