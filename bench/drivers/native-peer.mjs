// @ts-check
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Two threads in Node's pool too, as every other driver has. */
export const twoNodeThreads = Object.freeze({ UV_THREADPOOL_SIZE: '2' });

export const peersAddon = fileURLToPath(new URL('../peers/build/Release/peers.node', import.meta.url));

/**
 * @param {string} name
 * @param {string} label
 * @param {'asyncWorker' | 'asyncWork' | 'threadsTsfn'} member
 * @returns {import('../types.d.ts').Driver}
 */
export function nativePeer(name, label, member) {
  return {
    name,
    label,
    group: 'native',
    env: twoNodeThreads,
    async open() {
      const peer = createRequire(import.meta.url)(peersAddon)[member];
      return {
        noop: () => peer.noop(),
        small: (bytes) => peer.copy(bytes),
        bulk: (bytes) => peer.sha256(bytes),
      };
    },
  };
}
