// @ts-check
import { peersAddon, twoNodeThreads } from './native-peer.mjs';

const outputBytes = 32;

/** Calls the same exported C functions as the native peers. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'koffi',
  label: 'koffi async',
  group: 'native',
  needs: 'koffi',
  specifier: 'koffi',
  env: twoNodeThreads,
  async open() {
    const { default: koffi } = await import('koffi');
    koffi.config({ max_async_calls: 4096, resident_async_pools: 32 });
    const library = koffi.load(peersAddon);
    const noop = library.func('int peer_noop()');
    const copy = library.func('void peer_copy(const uint8_t *input, _Out_ uint8_t *output)');
    const sha256 = library.func('void peer_sha256(const uint8_t *input, size_t size, _Out_ uint8_t *output)');
    return {
      noop: () => settled(noop.async),
      small: (bytes) => filled((output, done) => copy.async(bytes, output, done)),
      bulk: (bytes) => filled((output, done) => sha256.async(bytes, bytes.length, output, done)),
    };
  },
};

/** @param {(done: (error: unknown, result: unknown) => void) => void} call */
function settled(call) {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** @param {(output: Buffer, done: (error: unknown) => void) => void} call */
function filled(call) {
  return new Promise((resolve, reject) => {
    const output = Buffer.allocUnsafe(outputBytes);
    call(output, (error) => (error ? reject(error) : resolve(output)));
  });
}
