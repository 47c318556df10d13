import { defineTask } from '../define-task.js';
import type { TransformTask } from '../task.js';
import { checkData, type Data, writeData } from './data.js';
import { checkDigest } from './digests.js';

/**
 * Digests data, as `crypto.createHash(algorithm).update(data).digest()` does.
 *
 * From 1 MiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes.
 * On a stream: `pool.transform(hash, ['sha256'])`, of which the digest is the only chunk.
 *
 * @param algorithm - any of `crypto.getHashes()`, in any case. SHAKE and its like give their customary length:
 *   16 bytes for 128, 32 for 256
 * @param data - text is digested as UTF-8
 * @returns the digest
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_CRYPTO_INVALID_DIGEST
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_UNSUPPORTED where the runtime brings no OpenSSL 3
 * @example
 * const digest = await hash('sha256', await readFile('package.json'));
 */
export const hash = defineTask<[algorithm: string, data: Data], Buffer, TransformTask<[algorithm: string]>>({
  name: 'hash',
  arity: 2,
  stream: { kind: 'transform', data: 1 },
  encode([algorithm, data], cells) {
    const name = checkDigest('algorithm', algorithm);
    const checked = checkData('data', data);
    cells.text(name);
    writeData(cells, checked);
  },
});
