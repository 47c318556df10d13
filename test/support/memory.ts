/** Kinds of memory that the language's own types do not tell of. */

interface WebAssemblyOfHost {
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
}
type ResizableArrayBuffer = new (size: number, options: { maxByteLength: number }) => ArrayBuffer;

/** Pages of 64 KiB, which cannot be detached. */
export function wasmMemory(pages: number): ArrayBuffer {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyOfHost };
  return new WebAssembly.Memory({ initial: pages }).buffer;
}

export function resizable(size: number): ArrayBuffer {
  return new (ArrayBuffer as unknown as ResizableArrayBuffer)(size, { maxByteLength: 2 * size });
}
