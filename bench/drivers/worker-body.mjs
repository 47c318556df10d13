// @ts-check
import { createHash } from 'node:crypto';

export function noop() {}

/** @param {Uint8Array} bytes */
export function copy(bytes) {
  return bytes.slice(0, 32);
}

/** @param {Uint8Array} bytes */
export function sha256(bytes) {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
