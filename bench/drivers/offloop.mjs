// @ts-check
import { sentThrough } from './compression-stream.mjs';

/**
 * @param {string} label
 * @param {string} name
 * @param {{ env?: Record<string, string>, open: (pool: typeof import('offloop').Pool, options: Required<import('../types.d.ts').OpenOptions>) => import('offloop').Pool }} how
 * @returns {import('../types.d.ts').Driver}
 */
export function poolDriver(label, name, { env, open }) {
  return {
    name,
    label,
    group: 'offloop',
    specifier: 'offloop',
    env,
    async open({ threads = 2, capacity = 65_536 } = {}) {
      const { Pool } = await import('offloop');
      const { gzip, hash, noop, spin } = await import('offloop/ops');
      const pool = open(Pool, { threads, capacity });
      return {
        noop: () => pool.run(noop),
        small: (bytes) => pool.run(hash, ['sha256', bytes]),
        bulk: (bytes) => pool.run(hash, ['sha256', bytes]),
        spin: (ms, signal) => pool.run(spin, [ms], { signal }),
        gzipStream: (chunks) => sentThrough(chunks, pool.transform(gzip)),
        close: () => pool.close(),
      };
    },
  };
}

/**
 * @param {'eco' | 'balanced' | 'low'} latency
 * @returns {import('../types.d.ts').Driver}
 */
export function offloopDriver(latency) {
  return poolDriver(`offloop '${latency}'`, `offloop-${latency}`, {
    open: (Pool, { threads, capacity }) => new Pool({ name: 'bench', threads, capacity, latency }),
  });
}
