// @ts-check
import { Pool } from 'offloop';
import { gzip, hash, lookup, readFile, scrypt } from 'offloop/ops';

/** @typedef {{ threads: number }} Threads */

/**
 * A pool of its own for the files.
 *
 * @param {Threads} options
 */
export function open({ threads }) {
  const pool = new Pool({ name: 'demo', threads });
  return {
    /** @param {string} path */
    async visit(path) {
      const bytes = await pool.run(readFile, [path]);
      const [digest, packed] = await Promise.all([pool.run(hash, ['sha256', bytes]), pool.run(gzip, [bytes])]);
      return { size: bytes.length, digest, packed: packed.length };
    },
    close: () => pool.close(),
  };
}

/**
 * As many threads as Node has, but in two pools: the passwords cannot hold up the rest.
 *
 * @param {Threads} options
 */
export function openIsolated({ threads }) {
  const passwords = new Pool({ name: 'passwords', threads: threads - 1 });
  const requests = new Pool({ name: 'requests', threads: 1 });
  return {
    scrypt: (/** @type {string} */ password, /** @type {string} */ salt) => passwords.run(scrypt, [password, salt, 64]),
    lookup: (/** @type {string} */ host) => lookup(host, { pool: requests }),
    readFile: (/** @type {string} */ path) => readFile(path, { pool: requests }),
    close: () => Promise.all([passwords.close(), requests.close()]),
  };
}
