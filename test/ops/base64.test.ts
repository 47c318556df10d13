import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../lib/ops.js';
import { bytesOf, SIZES, thrownBy, viewsOf } from './support.js';

describe('toBase64', () => {
  it.each([...SIZES, 2, 3, 4, 98_303, 98_304, 98_305])('encodes %i bytes as Node does', async (size) => {
    const bytes = bytesOf(size);
    expect((await toBase64(bytes)) === bytes.toString('base64')).toBe(true);
  });

  it('encodes every byte in every place', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 * 3 * 256 }, (_, i) => (i % 3 === 0 ? i / 3 : i * 7)));
    for (const shift of [0, 1, 2]) {
      expect(await toBase64(bytes.subarray(shift))).toBe(bytes.subarray(shift).toString('base64'));
    }
  });

  it.each(viewsOf(bytesOf(4096)))('takes a %s', async (_, view) => {
    expect(await toBase64(view)).toBe(bytesOf(4096).toString('base64'));
  });

  it('takes text as its UTF-8', async () => {
    expect(await toBase64('grüße 🌍')).toBe(Buffer.from('grüße 🌍').toString('base64'));
  });

  it('throws for what has no bytes, and for what would not fit in a string', () => {
    expect(thrownBy(() => toBase64(5 as never))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    const huge = new ArrayBuffer(2 ** 30); // never touched
    expect(thrownBy(() => toBase64(huge)).code).toBe('ERR_STRING_TOO_LONG');
  });
});

describe('fromBase64', () => {
  it.each([...SIZES, 2, 3, 4, 98_303, 98_304, 98_305])('decodes what stands for %i bytes', async (size) => {
    const bytes = bytesOf(size);
    expect((await fromBase64(bytes.toString('base64'))).equals(bytes)).toBe(true);
    expect((await fromBase64(bytes.toString('base64url'))).equals(bytes)).toBe(true);
  });

  it.each([
    'YQ==YQ==',
    'YQ==  ',
    ' Y Q = =',
    'YW Jj\r\nYW\tJj',
    '=YWJj',
    'Y=WJj',
    'a',
    'ab',
    'abc',
    'abcd',
    'abcde',
    'ab=',
    'a=',
    '-_-_',
    '+/-_',
    'YW*Jj',
    'YWJj\u00e9',
    'ab\0cd',
    '====',
    '\ufeffYWJj',
  ])('reads carelessly written text as Node does: %j', async (text) => {
    expect(await fromBase64(text)).toEqual(Buffer.from(text, 'base64'));
  });

  it.each([
    '\u0159WJj',
    'YW\u013dJj',
    'YQ\u013d\u013d',
    'YQ=\u0159',
    'YW\u0100Jj',
    '\ud859WJj',
    'YW\udc4aj',
    '😀YWJj',
    'YWJj\u3d3d\u3d3dYWJj',
    'Y\uff37\uff2a\uff4a',
  ])('reads characters beyond Latin-1 as Node does, by their low bytes: %j', async (text) => {
    const long = text.repeat(100_000); // too much for the memory between the threads
    expect(await fromBase64(text)).toEqual(Buffer.from(text, 'base64'));
    expect((await fromBase64(long)).equals(Buffer.from(long, 'base64'))).toBe(true);
  });

  it.each([1, 2, 3])(
    'goes on in the middle of a group after much that is passed over: %i characters',
    async (count) => {
      const text = `${'YWJj'.slice(0, count)}${' '.repeat(200_000)}${'YWJj'.slice(count)}YWJj${'\n'.repeat(70_000)}YQ`;
      for (const times of [1, 5]) {
        expect(await fromBase64(text.repeat(times))).toEqual(Buffer.from(text.repeat(times), 'base64'));
      }
    },
  );

  it.each(['ABCxyz0189+/-_ \n\r*~\0é', 'ABCxyz0189+/-_ \n\u0159\u0100\u3d3e\ud83d'])(
    'reads any mixture of %j as Node does',
    async (characters) => {
      let state = 1;
      const random = (below: number): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state % below;
      };
      const texts = Array.from({ length: 5000 }, (_, i) => {
        const length = i % 100 === 0 ? 5000 + random(200_000) : random(40);
        const letters = Array.from({ length }, () =>
          random(9999) === 0 ? '=' : characters[random(characters.length)],
        );
        return letters.join('');
      });
      const decoded = await Promise.all(texts.map((text) => fromBase64(text)));
      decoded.forEach((bytes, i) => {
        expect(bytes.equals(Buffer.from(texts[i] as string, 'base64')), JSON.stringify(texts[i])).toBe(true);
      });
    },
  );

  it('throws for what is not text', () => {
    for (const text of [undefined, null, 5, Buffer.from('YWJj')]) {
      expect(thrownBy(() => fromBase64(text as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  });
});
