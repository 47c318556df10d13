import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../lib/index.js';
import { pbkdf2, scrypt } from '../../lib/ops.js';
import { bytesOf, rejectionOf, thrownBy, viewsOf } from './support.js';

describe('scrypt', () => {
  it('derives the keys of RFC 7914', async () => {
    const key = await scrypt('pleaseletmein', 'SodiumChloride', 64, { N: 16384, r: 8, p: 1 });
    expect(key.toString('hex')).toBe(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    );
  });

  it.each([0, 1, 64, 96, 97, 1000, 100_000])('derives a key of %i bytes as Node does', async (size) => {
    expect(await scrypt('password', 'salt', size, { N: 16 })).toEqual(scryptSync('password', 'salt', size, { N: 16 }));
  });

  it('takes every option, by either of its names', async () => {
    const expected = scryptSync('password', 'salt', 32, { N: 1024, r: 4, p: 3, maxmem: 2 ** 24 });
    expect(await scrypt('password', 'salt', 32, { N: 1024, r: 4, p: 3, maxmem: 2 ** 24 })).toEqual(expected);
    const long = { cost: 1024, blockSize: 4, parallelization: 3 };
    expect(await scrypt('password', 'salt', 32, long)).toEqual(expected);
    expect(await scrypt('password', 'salt', 8)).toEqual(scryptSync('password', 'salt', 8));
    const zeros = { N: 0, r: 0, p: 0, maxmem: 0 };
    expect(await scrypt('password', 'salt', 8, zeros)).toEqual(scryptSync('password', 'salt', 8, zeros));
  });

  it('shares its options with those of the call', async () => {
    await using pool = new Pool({ threads: 1 });
    const expected = scryptSync('password', 'salt', 16, { N: 32 });
    expect(await scrypt('password', 'salt', 16, { N: 32, pool, priority: 'high' })).toEqual(expected);
    expect(await pool.run(scrypt, ['password', 'salt', 16, { N: 32 }], { priority: 'low' })).toEqual(expected);
  });

  it('takes empty and binary passwords and salts of every kind', async () => {
    const options = { N: 2 };
    for (const [password, salt] of [
      ['', ''],
      [new Uint8Array(0), 'x'],
      ['pä\0ss', bytesOf(100_000)],
    ] as const) {
      expect(await scrypt(password, salt, 20, options)).toEqual(scryptSync(password, salt, 20, options));
    }
    for (const [, view] of viewsOf(bytesOf(64))) {
      expect(await scrypt(view, view, 20, options)).toEqual(scryptSync(bytesOf(64), bytesOf(64), 20, options));
    }
  });

  it.each([
    { N: 3 },
    { N: 1 },
    { N: 2 ** 20 },
    { N: 2 ** 16, r: 1 },
    { r: 2 ** 30, p: 2 },
    { N: 2, r: 2 ** 29, p: 2 },
    { N: 2, r: 2 ** 20, p: 2 ** 9 },
    { N: 1024, maxmem: 1024 * 1024 },
    { N: 2, r: 8, p: 2 ** 22 },
    { N: 2 ** 32 - 1 },
    { N: 2 ** 31, maxmem: 2 ** 40 },
    { N: -1 },
    { N: 1.5 },
    { N: 2 ** 32 },
    { N: '16' },
    { r: -1 },
    { p: 2 ** 32 },
    { maxmem: -1 },
    { maxmem: 2 ** 53 },
  ])('refuses what Node refuses, at once: %o', (options) => {
    const byNode = thrownBy(() => scryptSync('password', 'salt', 16, options as never));
    expect(thrownBy(() => scrypt('password', 'salt', 16, options as never))).toMatchObject({
      name: byNode.name,
      code: byNode.code,
    });
  });

  it('fits exactly into the memory it may use', async () => {
    const needed = 128 * 8 * (1024 + 2) + 128 * 8;
    const key = scryptSync('p', 's', 16, { N: 1024, maxmem: needed });
    expect(await scrypt('p', 's', 16, { N: 1024, maxmem: needed })).toEqual(key);
    const less = { N: 1024, maxmem: needed - 1 };
    expect(thrownBy(() => scryptSync('p', 's', 16, less)).code).toBe('ERR_CRYPTO_INVALID_SCRYPT_PARAMS');
    expect(thrownBy(() => scrypt('p', 's', 16, less)).code).toBe('ERR_CRYPTO_INVALID_SCRYPT_PARAMS');
  });

  it('refuses an option under both of its names', () => {
    expect(thrownBy(() => scrypt('p', 's', 16, { N: 16, cost: 16 })).code).toBe('ERR_INCOMPATIBLE_OPTION_PAIR');
  });

  it.each([
    [5, 's', 16],
    ['p', null, 16],
    ['p', 's', '16'],
    ['p', 's', -1],
    ['p', 's', 2 ** 31],
    ['p', 's', 1.5],
  ])('throws for arguments that cannot be: %o %o %o', (password, salt, keylen) => {
    const byNode = thrownBy(() => scryptSync(password as never, salt as never, keylen as never));
    const { name, code } = byNode;
    expect(thrownBy(() => scrypt(password as never, salt as never, keylen as never))).toMatchObject({ name, code });
  });
});

describe('pbkdf2', () => {
  it.each(['sha1', 'sha256', 'SHA512', 'md5', 'sha3-256', 'RSA-SHA384', 'blake2b512'])(
    'derives with %s as Node does',
    async (digest) => {
      for (const size of [1, 64, 97, 1000]) {
        expect(await pbkdf2('password', 'salt', 7, size, digest)).toEqual(
          pbkdf2Sync('password', 'salt', 7, size, digest),
        );
      }
    },
  );

  it('takes empty and binary passwords and salts of every kind', async () => {
    expect(await pbkdf2('', '', 1, 20, 'sha1')).toEqual(pbkdf2Sync('', '', 1, 20, 'sha1'));
    for (const [, view] of viewsOf(bytesOf(64))) {
      expect(await pbkdf2(view, view, 2, 20, 'sha1')).toEqual(pbkdf2Sync(bytesOf(64), bytesOf(64), 2, 20, 'sha1'));
    }
    const long = bytesOf(100_000);
    expect(await pbkdf2(long, long, 2, 20, 'sha1')).toEqual(pbkdf2Sync(long, long, 2, 20, 'sha1'));
  });

  it('derives no bytes when none are asked for', async () => {
    expect(await pbkdf2('p', 's', 1, 0, 'sha1')).toEqual(Buffer.alloc(0)); // as Node 20; later ones fail
  });

  it('rejects a digest that HMAC does not work with', async () => {
    const error = await rejectionOf(pbkdf2('p', 's', 1, 16, 'shake128'));
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TASK_FAILED', task: 'pbkdf2' });
    expect(await pbkdf2('p', 's', 1, 16, 'sha1')).toEqual(pbkdf2Sync('p', 's', 1, 16, 'sha1'));
  });

  it.each([
    ['p', 's', 0, 16, 'sha1'],
    ['p', 's', 2 ** 31, 16, 'sha1'],
    ['p', 's', '1', 16, 'sha1'],
    ['p', 's', 1, -1, 'sha1'],
    ['p', 's', 1, 2 ** 31, 'sha1'],
    ['p', 's', 1, 16, 'nope'],
    ['p', 's', 1, 16, undefined],
    [1, 's', 1, 16, 'sha1'],
    ['p', {}, 1, 16, 'sha1'],
  ])('throws for arguments that cannot be: %o %o %o %o %o', (...args) => {
    const { name, code } = thrownBy(() => pbkdf2Sync(...(args as never as Parameters<typeof pbkdf2Sync>)));
    expect(thrownBy(() => pbkdf2(...(args as never as Parameters<typeof pbkdf2>)))).toMatchObject({ name, code });
  });
});
