// @ts-check
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** On the loop: nothing else happens while a file is read, hashed or packed. */
export function open() {
  return {
    /** @param {string} path */
    async visit(path) {
      const bytes = readFileSync(path);
      const digest = createHash('sha256').update(bytes).digest();
      const packed = gzipSync(bytes).length;
      await nextTurn(); // Between two files the loop gets its turn, as between two requests.
      return { size: bytes.length, digest, packed };
    },
    close() {},
  };
}
