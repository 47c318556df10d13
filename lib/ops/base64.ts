import { constants } from 'node:buffer';
import { checkText } from '../check.js';
import { defineTask } from '../define-task.js';
import { toUint8Array } from '../memory.js';
import type { TransformTask } from '../task.js';
import { checkData, type Data, writeData } from './data.js';

/** The most bytes whose base64 still fits in a string. */
const kMostBytes = Math.floor(constants.MAX_STRING_LENGTH / 4) * 3;

/**
 * Encodes bytes, as `buffer.toString('base64')` does.
 *
 * From 1 MiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes.
 * On a stream: `pool.transform(toBase64)`, whose chunks are strings.
 *
 * @param data - text is encoded as its UTF-8
 * @returns the text, padded, in the standard alphabet
 * @throws TypeError ERR_INVALID_ARG_TYPE; Error ERR_STRING_TOO_LONG
 * @rejects as every run: see Pool.run
 * @example
 * const text = await toBase64(new Uint8Array([1, 2, 3])); // 'AQID'
 */
export const toBase64 = defineTask<[data: Data], string, TransformTask<[], string>>({
  name: 'toBase64',
  arity: 1,
  stream: { kind: 'transform', data: 0, toText: (bytes) => bytes.toString('latin1') },
  encode([data], cells) {
    const checked = checkData('data', data);
    if (byteLength(checked) > kMostBytes) throw stringTooLong();
    writeData(cells, checked);
  },
});

/**
 * Decodes text, as `Buffer.from(text, 'base64')` does: both alphabets, with padding or without. It ends at the first
 * `=`; characters that belong to neither alphabet are passed over. Of a character beyond Latin-1 the low byte counts, as
 * with Node: `ř` (U+0159) is a `Y`.
 *
 * From 1 MiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: characters.
 * On a stream: `pool.transform(fromBase64)`, which takes strings, and bytes for such as are ASCII.
 *
 * @returns the bytes
 * @throws TypeError ERR_INVALID_ARG_TYPE
 * @rejects as every run: see Pool.run
 * @example
 * const bytes = await fromBase64('AQID');
 */
export const fromBase64 = defineTask<[text: string], Buffer, TransformTask<[]>>({
  name: 'fromBase64',
  arity: 1,
  stream: {
    kind: 'transform',
    data: 0,
    encode: ([text]: readonly [text: Uint8Array], cells) => cells.bytes(text),
    taking: 'latin1',
  },
  encode([text], cells) {
    cells.latin1(checkText('text', text));
  },
});

function byteLength(data: Data): number {
  if (typeof data !== 'string') return toUint8Array(data)?.byteLength ?? 0;
  return data.length * 3 <= kMostBytes ? data.length : Buffer.byteLength(data);
}

function stringTooLong(): Error {
  const message = `Cannot create a string longer than 0x${constants.MAX_STRING_LENGTH.toString(16)} characters`;
  return Object.assign(new Error(message), { code: 'ERR_STRING_TOO_LONG' });
}
