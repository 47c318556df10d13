/** How messages are written and read where native code can: the layout is native/core/message.hpp's. */
import { Buffer, constants } from 'node:buffer';
import { types } from 'node:util';
import { type Bytes, invalidType, invalidValue, isBytes, outOfRange } from '../check.js';
import { OffloopError } from '../errors.js';
import {
  KIND_BIGINT,
  KIND_BOOLEAN,
  KIND_BYTES,
  KIND_NULL,
  KIND_NUMBER,
  KIND_TEXT,
  KIND_TUPLE,
  KIND_UNDEFINED,
  MESSAGE_APART,
  MESSAGE_LONG_WORDS,
  MESSAGE_MOST_ITEMS,
  MESSAGE_SHORT_BYTES,
  MESSAGE_WORDS_SHIFT,
} from '../layout.js';
import { copied, sizeOf, toUint8Array } from '../memory.js';

/** What a queue carries by itself, or in a flat array. Bytes of any kind are copied, and arrive as a Buffer. */
export type MessageItem = number | bigint | boolean | string | null | undefined | Bytes;
/** What a queue carries. */
export type Message = MessageItem | readonly MessageItem[];
/** How a message arrives, or an item of one: bytes of any kind are a Buffer then. */
export type Received<T> = T extends Bytes
  ? Buffer
  : T extends readonly unknown[]
    ? { [Index in keyof T]: Received<T[Index]> }
    : T;

const HEAD_WORDS = 2;
const CELL_WORDS = 4;
const kTypes =
  'of type number, bigint, boolean, string, undefined, null, an instance of Buffer, TypedArray, DataView, or ArrayBuffer, or a flat Array of these';

const headOf = (kind: number, words: number) => kind | (words << MESSAGE_WORDS_SHIFT);
const NUMBER_HEAD = headOf(KIND_NUMBER, CELL_WORDS);
const KIND_MASK = MESSAGE_APART - 1;
/** A UTF-16 code unit takes at most three bytes of UTF-8. */
const SHORT_TEXT = MESSAGE_SHORT_BYTES / 3;
/** Character by character is cheaper than a call up to here. */
const TINY_TEXT = 24;

/** A longer one could not say how long it is. (UTF-8 cannot get there: a string has 2²⁹ characters at most.) */
const MOST_BYTES = 2 ** 32 - 1;
/** Up to here copying bytes is cheaper than a view of them, for which V8 would move them out of its own heap. */
const TINY_BYTES = 64;

/**
 * What a message is to be written from. Reading a value may run code of its owner's, which may use queues itself: all of
 * that happens here, before anything is touched, and what is returned has none left. Bytes may still be the caller's memory.
 *
 * @throws TypeError, RangeError naming what cannot be sent
 */
export function checkMessage(value: unknown): Message {
  return Array.isArray(value) ? checkItems(value) : checkItem(value, -1);
}

/** A message that waits: its bytes are copied. */
export function kept(message: Message): Message {
  return Array.isArray(message) ? message.map(keptItem) : keptItem(message as MessageItem);
}

function keptItem(item: MessageItem): MessageItem {
  return typeof item === 'object' && item !== null ? copied(item as Uint8Array) : item;
}

function checkItems(values: readonly unknown[]): readonly MessageItem[] {
  const items = [...values]; // before they are counted: it may be a proxy
  if (items.length > MESSAGE_MOST_ITEMS) throw outOfRange('value.length', `<= ${MESSAGE_MOST_ITEMS}`, items.length);
  for (let i = 0; i < items.length; ++i) {
    const item = items[i];
    if (typeof item !== 'number') items[i] = checkItem(item, i);
  }
  return items as MessageItem[];
}

/** `index`: in an array; else negative. */
function checkItem(value: unknown, index: number): MessageItem {
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return value;
      throw outOfRange(nameOf(index), '>= -(2n ** 63n) && < 2n ** 63n', value);
    default:
      if (value === null) return null;
      if (!isBytes(value)) throw invalidType(nameOf(index), kTypes, value);
      return checkBytes(value, index);
  }
}

function checkBytes(value: Bytes, index: number): Uint8Array {
  const isTiny = types.isUint8Array(value) && sizeOf(value) <= TINY_BYTES && sizeOf(value) > 0;
  const view = isTiny ? copied(value) : toUint8Array(value);
  if (view === undefined) throw invalidValue(nameOf(index), 'must not be detached', value);
  if (view.byteLength <= MOST_BYTES) return view;
  throw outOfRange(`${nameOf(index)}.byteLength`, `<= ${MOST_BYTES}`, view.byteLength);
}

function nameOf(index: number): string {
  return index < 0 ? 'value' : `value[${index}]`;
}

/** Writes messages one behind the other, as `checkMessage` returns them: none of them can be refused here. */
export class MessageWriter {
  /** Words written so far. */
  end = 0;
  /** What is too long to be written, in order. */
  readonly attachments: Array<string | Uint8Array> = [];

  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #integers: BigInt64Array;
  readonly #bytes: Buffer;

  constructor(outgoing: ArrayBuffer) {
    this.#words = new Int32Array(outgoing);
    this.#floats = new Float64Array(outgoing);
    this.#integers = new BigInt64Array(outgoing);
    this.#bytes = Buffer.from(outgoing);
  }

  /** There must be room for the longest. */
  write(message: Message): void {
    if (typeof message === 'number') this.#number(message);
    else if (Array.isArray(message)) this.#tuple(message);
    else this.#item(message as MessageItem, this.end);
  }

  clear(): void {
    this.end = 0;
    if (this.attachments.length > 0) this.attachments.length = 0;
  }

  #tuple(items: readonly MessageItem[]): void {
    const start = this.end;
    const before = this.attachments.length;
    this.end = start + HEAD_WORDS;
    for (let i = 0; i < items.length; ++i) {
      const item = items[i];
      if (typeof item === 'number') this.#number(item);
      else this.#item(item, start);
    }
    const kind = this.attachments.length > before ? KIND_TUPLE | MESSAGE_APART : KIND_TUPLE;
    this.#words[start] = headOf(kind, this.end - start);
    this.#words[start + 1] = items.length;
  }

  #number(value: number): void {
    const at = this.end;
    this.#words[at] = NUMBER_HEAD;
    this.#floats[(at + HEAD_WORDS) >> 1] = value;
    this.end = at + CELL_WORDS;
  }

  /** `start`: where the message begins. */
  #item(value: MessageItem, start: number): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value, start);
    else if (typeof value === 'boolean') this.#cell(KIND_BOOLEAN, value ? 1 : 0, HEAD_WORDS);
    else if (value === undefined) this.#cell(KIND_UNDEFINED, 0, HEAD_WORDS);
    else if (value === null) this.#cell(KIND_NULL, 0, HEAD_WORDS);
    else if (typeof value === 'bigint') {
      this.#integers[(this.end + HEAD_WORDS) >> 1] = value;
      this.#cell(KIND_BIGINT, 0, CELL_WORDS);
    } else this.#binary(value as Uint8Array, start);
  }

  #text(value: string, start: number): void {
    if (value.length > SHORT_TEXT || this.end - start > MESSAGE_LONG_WORDS) {
      this.#attach(KIND_TEXT, value);
      return;
    }
    const at = (this.end + HEAD_WORDS) * 4;
    const size = value.length <= TINY_TEXT ? this.#tinyText(value, at) : this.#bytes.write(value, at, 'utf8');
    this.#cell(KIND_TEXT, size, HEAD_WORDS + (((size + 7) >> 3) << 1));
  }

  #tinyText(value: string, at: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; ++i) {
      const char = value.charCodeAt(i);
      if (char > 127) return bytes.write(value, at, 'utf8');
      bytes[at + i] = char;
    }
    return value.length;
  }

  #binary(view: Uint8Array, start: number): void {
    const size = view.byteLength;
    if (size > MESSAGE_SHORT_BYTES || this.end - start > MESSAGE_LONG_WORDS) {
      this.#attach(KIND_BYTES, view);
      return;
    }
    const at = (this.end + HEAD_WORDS) * 4;
    if (size <= TINY_BYTES) for (let i = 0; i < size; ++i) this.#bytes[at + i] = view[i] as number;
    else this.#bytes.set(view, at);
    this.#cell(KIND_BYTES, size, HEAD_WORDS + (((size + 7) >> 3) << 1));
  }

  #attach(kind: number, value: string | Uint8Array): void {
    this.#words[this.end + HEAD_WORDS] = this.attachments.length;
    this.attachments.push(value);
    this.#cell(kind | MESSAGE_APART, 0, CELL_WORDS);
  }

  #cell(kind: number, length: number, words: number): void {
    const at = this.end;
    this.#words[at] = headOf(kind, words);
    this.#words[at + 1] = length;
    this.end = at + words;
  }
}

/** Reads messages one behind the other. */
export class MessageReader {
  /** Whether any of those that were read last could not be made: an OffloopError that says why stands for it. */
  failed = false;

  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #integers: BigInt64Array;
  readonly #bytes: Buffer;
  /** Of the message that is being read. */
  #failure: OffloopError | undefined;

  constructor(incoming: ArrayBuffer) {
    this.#words = new Int32Array(incoming);
    this.#floats = new Float64Array(incoming);
    this.#integers = new BigInt64Array(incoming);
    this.#bytes = Buffer.from(incoming);
  }

  /** The first `count` messages. `objects`: what was too long. */
  read(count: number, objects: readonly unknown[]): unknown[] {
    const words = this.#words;
    const values = new Array<unknown>(count);
    this.failed = false;
    let at = 0;
    for (let i = 0; i < count; ++i) {
      const head = words[at] as number;
      if (head === NUMBER_HEAD) values[i] = this.#floats[(at + HEAD_WORDS) >> 1];
      else if ((head & KIND_MASK) === KIND_TUPLE) values[i] = this.#tuple(at, objects);
      else values[i] = this.#item(at, objects);
      if (this.#failure !== undefined) values[i] = this.#takeFailure();
      at += head >>> MESSAGE_WORDS_SHIFT;
    }
    return values;
  }

  #tuple(start: number, objects: readonly unknown[]): unknown[] {
    const count = this.#words[start + 1] as number;
    const items = new Array<unknown>(count);
    let at = start + HEAD_WORDS;
    for (let i = 0; i < count; ++i) {
      items[i] = this.#item(at, objects);
      at += (this.#words[at] as number) >>> MESSAGE_WORDS_SHIFT;
    }
    return items;
  }

  #item(at: number, objects: readonly unknown[]): unknown {
    const head = this.#words[at] as number;
    const length = this.#words[at + 1] as number;
    if (head & MESSAGE_APART) {
      const object = objects[this.#words[at + HEAD_WORDS] as number];
      if (object === undefined) this.#failure = failureOf(head & KIND_MASK, length >>> 0);
      return object;
    }
    switch (head & KIND_MASK) {
      case KIND_NUMBER:
        return this.#floats[(at + HEAD_WORDS) >> 1];
      case KIND_BOOLEAN:
        return length !== 0;
      case KIND_BIGINT:
        return this.#integers[(at + HEAD_WORDS) >> 1];
      case KIND_NULL:
        return null;
      case KIND_TEXT: {
        const start = (at + HEAD_WORDS) * 4;
        return this.#bytes.toString('utf8', start, start + length);
      }
      case KIND_BYTES: {
        const start = (at + HEAD_WORDS) * 4;
        const bytes = Buffer.allocUnsafeSlow(length); // memory of its own: whoever gets it may transfer it
        bytes.set(this.#bytes.subarray(start, start + length));
        return bytes;
      }
      default:
        return undefined;
    }
  }

  #takeFailure(): OffloopError | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    this.failed = true;
    return failure;
  }
}

/** Why native code could not make a text, or bytes. */
function failureOf(kind: number, size: number): OffloopError {
  if (kind === KIND_TEXT && size > constants.MAX_STRING_LENGTH) {
    const message = `a message was lost: its text of ${size} bytes is longer than a string can be`;
    return new OffloopError('ERR_OFFLOOP_UNSUPPORTED', message);
  }
  return new OffloopError('ERR_OFFLOOP_NO_MEMORY', `a message was lost: no memory for its ${size} bytes`);
}
