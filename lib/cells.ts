/** How a task's arguments are written where native code can read them. */
import { Buffer } from 'node:buffer';
import type { Bytes } from './check.js';
import {
  ARENA_BYTES,
  CELL_ATTACHED_BYTES,
  CELL_ATTACHED_TEXT,
  CELL_BIGINT,
  CELL_BOOLEAN,
  CELL_BYTES,
  CELL_NULL,
  CELL_NUMBER,
  CELL_TEXT,
  CELL_UNDEFINED,
  CELL_WORDS,
} from './layout.js';

/** Who owns the bytes of an input while its task is in flight; see RunOptions. */
export type InputMode = 'auto' | 'copy' | 'borrow' | 'move';

/** 'auto' copies inputs up to this size and borrows larger ones. */
const AUTO_COPY_BYTES = 64 * 1024;

/** Writes one record's arguments: cells into the ring, short bytes into the arena, references to the rest beside them. */
export class CellWriter {
  /** What was too large for the arena, in order, for the whole ring. */
  readonly attachments: unknown[] = [];
  /** Where the record's bytes begin and end in the arena; multiples of 8. */
  arenaStart = 0;
  arenaEnd = 0;
  /** Attachments that come before the record's. */
  firstAttachment = 0;
  count = 0;

  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #integers: BigInt64Array;
  readonly #arena: Buffer;
  #at = 0;
  #mode: InputMode = 'auto';

  constructor(ring: ArrayBuffer, arena: ArrayBuffer) {
    this.#words = new Int32Array(ring);
    this.#floats = new Float64Array(ring);
    this.#integers = new BigInt64Array(ring);
    this.#arena = Buffer.from(arena);
  }

  /** Starts a record whose first cell is at `word`, forgetting one that was not committed. */
  begin(word: number, arenaStart: number, firstAttachment: number, mode: InputMode): void {
    this.#at = word;
    this.#mode = mode;
    this.arenaStart = arenaStart;
    this.arenaEnd = arenaStart;
    this.firstAttachment = firstAttachment;
    this.count = 0;
    if (this.attachments.length > firstAttachment) this.attachments.length = firstAttachment;
  }

  undefined(): void {
    this.#cell(CELL_UNDEFINED, 0);
  }

  null(): void {
    this.#cell(CELL_NULL, 0);
  }

  boolean(value: boolean): void {
    this.#cell(CELL_BOOLEAN, value ? 1 : 0);
  }

  number(value: number): void {
    this.#floats[(this.#cell(CELL_NUMBER, 0) + 2) >> 1] = value;
  }

  /** The lower 64 bits. */
  bigint(value: bigint): void {
    this.#integers[(this.#cell(CELL_BIGINT, 0) + 2) >> 1] = value;
  }

  /** Crosses as UTF-8. */
  text(value: string): void {
    const most = value.length * 3;
    if (this.arenaEnd + most > ARENA_BYTES) {
      this.attachments.push(value);
      this.#cell(CELL_ATTACHED_TEXT, 0);
      return;
    }
    const size = value.length <= 24 ? this.#shortText(value) : this.#arena.write(value, this.arenaEnd, most, 'utf8');
    this.#inArena(CELL_TEXT, size);
  }

  /** Crosses by the record's input mode. The caller has checked that it is bytes. */
  bytes(value: Bytes): void {
    const mode = this.#mode;
    const view = toUint8Array(value);
    if (view === undefined) {
      this.#attach(DETACHED, Number.NaN);
    } else if (mode === 'copy' || (mode === 'auto' && view.byteLength <= AUTO_COPY_BYTES)) {
      this.#copy(view);
    } else {
      const attached = mode === 'move' ? moved(view) : view;
      this.#attach(attached, attached.byteLength);
    }
  }

  /** Takes the record out of the ring, to be put back later. */
  save(): SavedCells {
    const firstWord = this.#at - this.count * CELL_WORDS;
    return {
      words: this.#words.slice(firstWord, this.#at),
      bytes: copied(this.#arena.subarray(this.arenaStart, this.arenaEnd)),
      attachments: this.attachments.splice(this.firstAttachment),
    };
  }

  /** Writes a saved record after `begin`, which has made sure that there is room. */
  restore(saved: SavedCells): void {
    this.#words.set(saved.words, this.#at);
    this.#at += saved.words.length;
    this.count = saved.words.length / CELL_WORDS;
    this.#arena.set(saved.bytes, this.arenaStart);
    this.arenaEnd = this.arenaStart + saved.bytes.length;
    this.attachments.push(...saved.attachments);
  }

  #copy(view: Uint8Array): void {
    if (this.arenaEnd + view.byteLength > ARENA_BYTES) {
      this.#attach(copied(view), view.byteLength);
    } else {
      this.#arena.set(view, this.arenaEnd);
      this.#inArena(CELL_BYTES, view.byteLength);
    }
  }

  /** `size` is what native code must find: a view that was detached since has none. */
  #attach(view: Uint8Array, size: number): void {
    this.attachments.push(view);
    this.#floats[(this.#cell(CELL_ATTACHED_BYTES, 0) + 2) >> 1] = size;
  }

  #inArena(kind: number, size: number): void {
    const at = this.#cell(kind, size);
    this.#words[at + 2] = this.arenaEnd - this.arenaStart;
    this.arenaEnd = (this.arenaEnd + size + 7) & ~7;
  }

  /** Character by character while they are ASCII: cheaper than a call for names of algorithms and the like. */
  #shortText(value: string): number {
    const arena = this.#arena;
    const start = this.arenaEnd;
    for (let i = 0; i < value.length; ++i) {
      const char = value.charCodeAt(i);
      if (char > 127) return arena.write(value, start, value.length * 3, 'utf8');
      arena[start + i] = char;
    }
    return value.length;
  }

  #cell(kind: number, length: number): number {
    const at = this.#at;
    this.#words[at] = kind;
    this.#words[at + 1] = length;
    this.#at = at + CELL_WORDS;
    ++this.count;
    return at;
  }
}

/** A record that waits in JavaScript: it can be put into a ring later, with its bytes as they were. */
export interface SavedCells {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly attachments: readonly unknown[];
}

/** What stands for a detached view; native code expects another length and refuses it. */
const DETACHED = new Uint8Array(0);

/** @returns undefined when the memory is detached */
function toUint8Array(value: Bytes): Uint8Array | undefined {
  if (value instanceof Uint8Array && value.byteLength > 0) return value;
  try {
    // An empty view may be a detached one: only an attempt to view its buffer tells.
    if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  } catch {
    return undefined;
  }
}

/** Not by `slice`: a Buffer's would be another view of the same memory. */
function copied(view: Uint8Array): Uint8Array {
  return new Uint8Array(view);
}

/** The same bytes in memory that is no longer the caller's; copied where it cannot be detached. */
function moved(view: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof SharedArrayBuffer) return view; // has no owner to move it from
  try {
    return new Uint8Array(structuredClone(buffer, { transfer: [buffer] }), byteOffset, byteLength);
  } catch {
    return copied(view); // a part of Node's buffer pool, or WebAssembly's memory
  }
}
