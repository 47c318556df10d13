// @ts-check
import crypto from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

const gzip = promisify(zlib.gzip);
const scrypt = promisify(crypto.scrypt);

/** Node's own async calls: all of them share libuv's one pool. (createHash would run on the loop; subtle.digest does not.) */
export function open() {
  return {
    /** @param {string} path */
    async visit(path) {
      const bytes = await readFile(path);
      const [digest, packed] = await Promise.all([crypto.subtle.digest('SHA-256', bytes), gzip(bytes)]);
      return { size: bytes.length, digest, packed: packed.length };
    },
    close() {},
  };
}

/** There is only one pool, so the look-ups wait behind the passwords. */
export function openIsolated() {
  return {
    scrypt: (/** @type {string} */ password, /** @type {string} */ salt) => scrypt(password, salt, 64),
    lookup,
    readFile,
    close() {},
  };
}
