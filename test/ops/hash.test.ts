import { createHash, getHashes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../lib/index.js';
import { hash } from '../../lib/ops.js';
import { bytesOf, MIB, rejectionOf, SIZES, thrownBy, viewsOf } from './support.js';

/** Lengths that Node 26 wants to be told; before, it was these. */
const customaryLength: Record<string, number> = { shake128: 16, shake256: 32, 'shake-128': 16, 'shake-256': 32 };

function digestByNode(algorithm: string, data: string | Buffer): Buffer {
  const outputLength = customaryLength[algorithm];
  return createHash(algorithm, outputLength ? { outputLength } : {})
    .update(data)
    .digest();
}

describe('hash', () => {
  it.each(getHashes())('digests as Node does: %s', async (algorithm) => {
    for (const size of [0, 1, 64, 127, 128, 129, 4096, 32_767, 32_768, 32_769, 300_000]) {
      const data = bytesOf(size);
      expect(await hash(algorithm, data)).toEqual(digestByNode(algorithm, data));
    }
  });

  it.each([...SIZES, MIB - 1, 3 * MIB])('digests %i bytes whole', async (size) => {
    const data = bytesOf(size);
    expect(await hash('sha256', data)).toEqual(digestByNode('sha256', data));
  });

  it.each(viewsOf(bytesOf(4096)))('takes a %s', async (_, view) => {
    expect(await hash('sha256', view)).toEqual(digestByNode('sha256', bytesOf(4096)));
  });

  it('takes text as its UTF-8', async () => {
    for (const text of ['', 'abc', 'grüße, 世界 🌍', '\ud800 alone', 'ü'.repeat(100_000), 'x'.repeat(300_000)]) {
      expect(await hash('sha1', text)).toEqual(digestByNode('sha1', text));
    }
  });

  it('takes names in any case, and names that Node does not list', async () => {
    const expected = digestByNode('sha256', 'abc');
    for (const name of ['SHA256', 'Sha256', 'rsa-sha256', 'SHA2-256', '2.16.840.1.101.3.4.2.1']) {
      expect(await hash(name, 'abc')).toEqual(expected);
    }
  });

  it('keeps digests apart when algorithms and threads mix', async () => {
    const algorithms = ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'shake128', 'blake2b512'];
    await using pool = new Pool({ threads: 4 });
    const jobs = Array.from({ length: 5000 }, async (_, i) => {
      const algorithm = algorithms[i % algorithms.length] as string;
      expect(await pool.run(hash, [algorithm, `text ${i}`])).toEqual(digestByNode(algorithm, `text ${i}`));
    });
    await Promise.all(jobs);
  });

  it('throws for an algorithm that Node does not know', () => {
    expect(thrownBy(() => hash('nope', ''))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_CRYPTO_INVALID_DIGEST',
      message: 'Invalid digest: nope',
    });
  });

  it('throws for arguments of a wrong type, and names them', () => {
    const wrong = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    expect(thrownBy(() => hash(5 as never, ''))).toMatchObject(wrong);
    expect(thrownBy(() => hash(5 as never, '')).message).toContain('"algorithm"');
    for (const data of [undefined, null, 5, {}, [], Symbol('s'), () => {}]) {
      expect(thrownBy(() => hash('sha256', data as never))).toMatchObject(wrong);
      expect(thrownBy(() => hash('sha256', data as never)).message).toContain('"data"');
    }
  });

  it('stops in the middle of a large input', async () => {
    await using pool = new Pool({ threads: 1 });
    const data = new Uint8Array(256 * MIB);
    const abort = new AbortController();
    const digest = hash('sha3-512', data, { pool, signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    const began = performance.now();
    expect(await rejectionOf(digest)).toMatchObject({ code: 'ABORT_ERR' });
    expect(await hash('sha256', 'abc', { pool })).toEqual(digestByNode('sha256', 'abc'));
    expect(performance.now() - began).toBeLessThan(500); // whole, it takes a second
  });
});
