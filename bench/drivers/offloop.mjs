// @ts-check

/**
 * @param {'eco' | 'balanced' | 'low'} latency
 * @returns {import('../types.d.ts').Driver}
 */
export function offloopDriver(latency) {
  return {
    name: `offloop-${latency}`,
    label: `offloop '${latency}'`,
    group: 'offloop',
    specifier: 'offloop',
    async open({ threads = 2, capacity = 65_536 } = {}) {
      const { Pool } = await import('offloop');
      const { hash, noop, spin } = await import('offloop/ops');
      const pool = new Pool({ name: 'bench', threads, capacity, latency });
      return {
        noop: () => pool.run(noop),
        small: (bytes) => pool.run(hash, ['sha256', bytes]),
        bulk: (bytes) => pool.run(hash, ['sha256', bytes]),
        spin: (ms, signal) => pool.run(spin, [ms], { signal }),
        close: () => pool.close(),
      };
    },
  };
}
