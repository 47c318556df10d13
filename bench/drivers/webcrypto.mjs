// @ts-check
import { webcrypto } from 'node:crypto';
import { twoNodeThreads } from './native-peer.mjs';

/** @param {Uint8Array} bytes */
async function sha256(bytes) {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes));
}

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'webcrypto',
  label: 'crypto.subtle.digest',
  group: 'node',
  env: twoNodeThreads,
  open: async () => ({ small: sha256, bulk: sha256 }),
};
