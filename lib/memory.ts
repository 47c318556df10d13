/** Kinds of memory: what a task may read where it is, and what has to be copied for it. */
import { types } from 'node:util';
import threads from 'node:worker_threads';
import type { Bytes } from './check.js';
import { native } from './native.js';

// Since Node 21: not among the types of the oldest.
const { isMainThread, isMarkedAsUntransferable } = threads as typeof threads & {
  isMarkedAsUntransferable?: (value: object) => boolean;
};

/** Which memory stays while native code reads it; see Addon. */
export const pins: 'nothing' | 'most' | 'all' = native.pins(isMainThread);

/**
 * Whether the environment may end while tasks are in flight. That of the main thread may only after 'exit': otherwise it
 * waits for them, or the process goes first.
 */
let mayEnd = pins !== 'nothing' && !isMainThread;
if (pins !== 'nothing' && isMainThread) {
  process.prependListener('exit', () => {
    mayEnd = true;
  });
}

type Getter<T> = (this: unknown) => T;
const { apply } = Reflect;
const getter = <T>(prototype: object, name: string) =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get as Getter<T>;
const sight = (prototype: object) => ({
  buffer: getter<ArrayBuffer>(prototype, 'buffer'),
  byteOffset: getter<number>(prototype, 'byteOffset'),
  byteLength: getter<number>(prototype, 'byteLength'),
});
/** What the engine knows of bytes: an object may have properties of its own by the same names. */
const TYPED_ARRAY = sight(Object.getPrototypeOf(Uint8Array.prototype) as object);
const DATA_VIEW = sight(DataView.prototype);
const lengthOfBuffer = getter<number>(ArrayBuffer.prototype, 'byteLength');
const lengthOfShared = getter<number>(SharedArrayBuffer.prototype, 'byteLength');
const NONE: [] = [];

/** Bytes of a typed array, whatever it says itself. */
export function sizeOf(array: Uint8Array): number {
  return apply(TYPED_ARRAY.byteLength, array, NONE);
}

/**
 * The same bytes, at a length that stays: shared memory may grow. Runs no code of the value's owner, and what is returned
 * has none.
 *
 * @returns undefined when the memory is detached
 */
export function toUint8Array(value: Bytes): Uint8Array | undefined {
  try {
    if (!ArrayBuffer.isView(value)) {
      const lengthOf = types.isSharedArrayBuffer(value) ? lengthOfShared : lengthOfBuffer;
      return new Uint8Array(value, 0, apply(lengthOf, value, NONE));
    }
    const { buffer, byteOffset, byteLength } = types.isDataView(value) ? DATA_VIEW : TYPED_ARRAY;
    const size = apply(byteLength, value, NONE);
    // An empty view may be one of memory that is gone: only an attempt to read it tells.
    if (size === 0 && types.isUint8Array(value)) return new Uint8Array(value);
    return new Uint8Array(apply(buffer, value, NONE), apply(byteOffset, value, NONE), size);
  } catch {
    return undefined;
  }
}

/** Not by `slice`: a Buffer's would be another view of the same memory. */
export function copied(view: Uint8Array): Uint8Array {
  return new Uint8Array(view);
}

/** The same bytes in memory that is no longer the caller's; copied where it cannot be detached. */
export function moved(view: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = view;
  if (types.isSharedArrayBuffer(buffer)) return lent(view, false); // has no owner to move it from
  try {
    return new Uint8Array(structuredClone(buffer, { transfer: [buffer] }), byteOffset, byteLength);
  } catch {
    return copied(view); // a part of Node's buffer pool, another addon's memory, or WebAssembly's
  }
}

/**
 * The same bytes where they are, at a length that stays; copied where nothing can keep them there, or, with `carefully`,
 * where their owner could still free them.
 */
export function lent(view: Uint8Array, carefully: boolean): Uint8Array {
  const { buffer, byteOffset, byteLength } = view;
  // Shared memory only grows, and its view may grow with it.
  if (types.isSharedArrayBuffer(buffer)) return new Uint8Array(buffer, byteOffset, byteLength);
  if (isResizable(buffer)) return copied(view); // a pin does not keep the pages
  if (mayEnd && isExternal(buffer)) return copied(view); // goes back to its addon at the end, whoever reads
  const mayBeFreed = pins === 'nothing' || (pins === 'most' && !isExternal(buffer));
  return carefully && mayBeFreed ? copied(view) : view;
}

/** Whether any of a task's attachments has been detached since: none was empty. (A stream has no length at all.) */
export function anyDetached(attachments: readonly unknown[]): boolean {
  for (const attachment of attachments) {
    if (typeof attachment !== 'string' && (attachment as Uint8Array).byteLength === 0) return true;
  }
  return false;
}

function isResizable(buffer: ArrayBuffer & { resizable?: boolean }): boolean {
  return buffer.resizable === true;
}

/**
 * Memory that an addon gave to Node, which marks its buffers as untransferable. Node 20 cannot be asked, but it complains
 * about an ArrayBuffer that is listed twice only if it could transfer it once.
 */
function isExternal(buffer: ArrayBuffer): boolean {
  if (isMarkedAsUntransferable !== undefined) return isMarkedAsUntransferable(buffer);
  try {
    structuredClone(undefined, { transfer: [buffer, buffer] });
    return true;
  } catch {
    return false;
  }
}
