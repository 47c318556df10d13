import { checkInteger, checkObject, outOfRange } from '../check.js';
import { defineTask } from '../define-task.js';
import { toUint8Array } from '../memory.js';
import { checkData, type Data, defineTaskWithOptions, writeData } from './data.js';
import { checkDigest } from './digests.js';

/** What OpenSSL's 32-bit lengths and counts can say. */
const kMaxInt = 2 ** 31 - 1;
const kMaxUint = 2 ** 32 - 1;

/** Options of {@link scrypt}. 0 stands for the default, and each has two names. */
export interface ScryptOptions {
  /** A power of two above 1. Default: 16,384. */
  N?: number;
  cost?: number;
  /** Default: 8. */
  r?: number;
  blockSize?: number;
  /** Default: 1. */
  p?: number;
  parallelization?: number;
  /** Bytes; about 128 · N · r are needed. Default: 32 MiB. */
  maxmem?: number;
}

/**
 * Derives a key from a password, as `crypto.scrypt` does. It cannot be stopped once it runs: aborted or timed out then, it
 * rejects at once, and its thread is free when the key would have been done.
 *
 * @param keylen - bytes
 * @returns the key
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INCOMPATIBLE_OPTION_PAIR; RangeError ERR_OUT_OF_RANGE,
 *   ERR_CRYPTO_INVALID_SCRYPT_PARAMS
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_TASK_FAILED; ERR_OFFLOOP_UNSUPPORTED where the runtime brings no
 *   OpenSSL 3
 * @example
 * const key = await scrypt('correct horse', salt, 64, { N: 2 ** 15, maxmem: 64 << 20 });
 */
export const scrypt = defineTaskWithOptions<[password: Data, salt: Data, keylen: number], ScryptOptions, Buffer>({
  name: 'scrypt',
  arity: 3,
  encode([password, salt, keylen, options], cells) {
    const { N, r, p, maxmem } = checkScryptOptions(options ?? {});
    const checkedPassword = checkSecret('password', password);
    const checkedSalt = checkSecret('salt', salt);
    const size = checkInteger('keylen', keylen, 0, kMaxInt);
    writeData(cells, checkedPassword);
    writeData(cells, checkedSalt);
    for (const value of [size, N, r, p, maxmem]) cells.number(value);
  },
});

/**
 * Derives a key from a password, as `crypto.pbkdf2` does. It cannot be stopped once it runs: aborted or timed out then, it
 * rejects at once, and its thread is free when the key would have been done.
 *
 * @param iterations - 1 … 2³¹ − 1
 * @param keylen - bytes
 * @param digest - any of `crypto.getHashes()` that HMAC works with
 * @returns the key
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_CRYPTO_INVALID_DIGEST; RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_TASK_FAILED if the digest does not suit; ERR_OFFLOOP_UNSUPPORTED where
 *   the runtime brings no OpenSSL 3
 * @example
 * const key = await pbkdf2('correct horse', salt, 600_000, 32, 'sha256');
 */
export const pbkdf2 = defineTask<
  [password: Data, salt: Data, iterations: number, keylen: number, digest: string],
  Buffer
>({
  name: 'pbkdf2',
  arity: 5,
  encode([password, salt, iterations, keylen, digest], cells) {
    const name = checkDigest('digest', digest);
    const checkedPassword = checkSecret('password', password);
    const checkedSalt = checkSecret('salt', salt);
    const count = checkInteger('iterations', iterations, 1, kMaxInt);
    const size = checkInteger('keylen', keylen, 0, kMaxInt);
    writeData(cells, checkedPassword);
    writeData(cells, checkedSalt);
    cells.number(count);
    cells.number(size);
    cells.text(name);
  },
});

function checkSecret(name: string, value: unknown): Data {
  const data = checkData(name, value);
  const size = typeof data === 'string' ? 0 : (toUint8Array(data)?.byteLength ?? 0);
  if (size > kMaxInt) throw outOfRange(name, `<= ${kMaxInt} bytes`, size);
  return data;
}

function checkScryptOptions(options: ScryptOptions): { N: number; r: number; p: number; maxmem: number } {
  checkObject('options', options);
  const N = checkPair(options, 'N', 'cost') || 16384;
  const r = checkPair(options, 'r', 'blockSize') || 8;
  const p = checkPair(options, 'p', 'parallelization') || 1;
  const maxmem = checkInteger('maxmem', options.maxmem ?? 0) || 32 << 20;

  // OpenSSL's own conditions, here so that a mistake throws at once.
  if (N < 2 || 2 ** Math.round(Math.log2(N)) !== N) throw invalidScrypt('Invalid scrypt params');
  const blocks = 128 * r * p;
  const tooLarge =
    r * p >= 2 ** 30 || (r === 1 && N >= 2 ** 16) || blocks > kMaxInt || blocks + 128 * r * (N + 2) > maxmem;
  if (tooLarge) throw invalidScrypt('Invalid scrypt params: memory limit exceeded');
  return { N, r, p, maxmem };
}

function checkPair(options: ScryptOptions, name: keyof ScryptOptions, alias: keyof ScryptOptions): number {
  const value = options[name];
  const other = options[alias];
  if (value !== undefined && other !== undefined) {
    const message = `Option "${name}" cannot be used in combination with option "${alias}"`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INCOMPATIBLE_OPTION_PAIR' });
  }
  return checkInteger(value === undefined ? alias : name, value ?? other ?? 0, 0, kMaxUint);
}

function invalidScrypt(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS' });
}
