// @ts-check
import { fileURLToPath } from 'node:url';

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'piscina',
  label: 'piscina',
  group: 'js',
  needs: 'piscina',
  specifier: 'piscina',
  async open() {
    const { Piscina } = await import('piscina');
    const filename = fileURLToPath(new URL('./worker-body.mjs', import.meta.url));
    const pool = new Piscina({ filename, minThreads: 2, maxThreads: 2 });
    return {
      noop: () => pool.run(undefined, { name: 'noop' }),
      small: (bytes) => pool.run(bytes, { name: 'copy' }),
      bulk: (bytes) => pool.run(bytes, { name: 'sha256' }),
      close: () => pool.destroy(),
    };
  },
};
