/** How a task's arguments are written where native code can read them. */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
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
  CELL_QUEUE,
  CELL_ROOM,
  CELL_STREAM,
  CELL_TEXT,
  CELL_UNDEFINED,
  CELL_WORDS,
} from './layout.js';
import { copied, lent, moved, sizeOf, toUint8Array } from './memory.js';
import type { NativeStream } from './native.js';

/** Who owns the bytes of an input while its task is in flight; see RunOptions. */
export type InputMode = 'auto' | 'copy' | 'borrow' | 'move';

/** 'auto' copies inputs up to this size and borrows larger ones, where that is safe. */
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

  /** Crosses as bytes: of each UTF-16 code unit the lower one. */
  latin1(value: string): void {
    if (this.arenaEnd + value.length > ARENA_BYTES) this.#attach(Buffer.from(value, 'latin1'), value.length);
    else this.#inArena(CELL_BYTES, this.#arena.write(value, this.arenaEnd, value.length, 'latin1'));
  }

  /** A queue by its number; it is kept from the garbage collector while the task is in flight. */
  queue(number: number, queue: object): void {
    this.attachments.push(queue);
    this.#cell(CELL_QUEUE, number);
  }

  /** Crosses by the record's input mode. The caller has checked that it is bytes. */
  bytes(value: Bytes): void {
    const mode = this.#mode;
    const size = types.isUint8Array(value) ? sizeOf(value) : 0;
    if (mode === 'auto' && size > 0 && size <= AUTO_COPY_BYTES) {
      this.#copy(value as Uint8Array, size); // as it is: a view of it would cost more than the copy
      return;
    }
    const view = toUint8Array(value);
    if (view === undefined) {
      this.#attach(DETACHED, Number.NaN);
    } else if (mode === 'copy' || (mode === 'auto' && view.byteLength <= AUTO_COPY_BYTES)) {
      this.#copy(view, view.byteLength);
    } else {
      const kept = mode === 'move' ? moved(view) : lent(view, mode === 'auto');
      if (kept.byteLength === 0) this.#copy(kept, 0);
      else this.#attach(kept, kept.byteLength);
    }
  }

  /** Memory that the task writes into: nobody else's until it has come home, and not detached. May be empty. */
  room(view: Uint8Array): void {
    if (view.byteLength === 0) this.#inArena(CELL_BYTES, 0);
    else this.#attach(view, view.byteLength, CELL_ROOM);
  }

  /** Of which the task is a step. */
  stream(stream: NativeStream): void {
    this.attachments.push(stream);
    this.#cell(CELL_STREAM, 0);
  }

  /** `size`: read once, since shared memory may grow, and what the view says of itself need not be so. */
  #copy(view: Uint8Array, size: number): void {
    if (this.arenaEnd + size > ARENA_BYTES) {
      const copy = copied(view);
      this.#attach(copy, copy.byteLength);
    } else {
      this.#arena.set(view, this.arenaEnd);
      this.#inArena(CELL_BYTES, size);
    }
  }

  /** `size` is what native code must find: a view that was detached since has none. Never empty, so that this shows. */
  #attach(view: Uint8Array, size: number, kind = CELL_ATTACHED_BYTES): void {
    this.attachments.push(view);
    this.#floats[(this.#cell(kind, 0) + 2) >> 1] = size;
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

/** What stands for a detached view; native code expects another length and refuses it. */
const DETACHED = new Uint8Array(0);
