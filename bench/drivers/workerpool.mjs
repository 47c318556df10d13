// @ts-check
import { fileURLToPath } from 'node:url';

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'workerpool',
  label: 'workerpool',
  group: 'js',
  needs: 'workerpool',
  specifier: 'workerpool',
  async open() {
    const { default: workerpool } = await import('workerpool');
    const body = fileURLToPath(new URL('./workerpool-body.mjs', import.meta.url));
    const pool = workerpool.pool(body, { minWorkers: 2, maxWorkers: 2, workerType: 'thread' });
    return {
      noop: () => pool.exec('noop', []),
      small: (bytes) => pool.exec('copy', [bytes]),
      bulk: (bytes) => pool.exec('sha256', [bytes]),
      close: () => pool.terminate(),
    };
  },
};
