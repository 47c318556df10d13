/** What an environment can be in the middle of when it ends. */
import { Pool } from 'offloop';
import { hash, noop, pbkdf2, readFile, sleep, spin } from 'offloop/ops';

/** Each returns its pools and its tasks. `ms`: how long it has work for, roughly. */
const states = {
  async idle() {
    const pool = new Pool({ name: 'idle', threads: 2 });
    await Promise.all([pool.run(noop), pool.run(spin, [1]), pool.run(spin, [1])]);
    return { pools: [pool], runs: [] };
  },
  queued(ms) {
    const pool = new Pool({ name: 'queued', threads: 2 });
    return { pools: [pool], runs: Array.from({ length: 10_000 }, () => pool.run(spin, [ms / 5000])) };
  },
  running(ms) {
    const pool = new Pool({ name: 'running', threads: 1 });
    return { pools: [pool], runs: [pool.run(spin, [ms])] };
  },
  pools(ms) {
    const bytes = new Uint8Array(1 << 20);
    const pools = Array.from({ length: 64 }, (_, i) => new Pool({ name: `many-${i}`, threads: 2 }));
    const runs = pools.flatMap((pool, i) => [
      pool.run(sleep, [ms]),
      pool.run(noop),
      pool.run(hash, ['sha256', `pool ${i}`]),
      pool.run(readFile, ['package.json']),
      ...(i % 8 === 0 ? [pool.run(hash, ['md5', bytes])] : []),
      ...(i % 16 === 0 ? [pool.run(spin, [ms])] : []),
      ...(i === 32 ? [pool.run(pbkdf2, ['password', 'salt', 100_000, 64, 'sha512'])] : []), // cannot be stopped
    ]);
    return { pools, runs };
  },
};

const sum = (pools, key) => pools.reduce((total, pool) => total + pool.stats()[key], 0);

/** Brings this environment into the state, with work for `ms`. The returned function tells how the work is going. */
export async function enter(state, ms) {
  const { pools, runs } = await states[state](ms);
  let settled = 0;
  let lastAt = 0;
  for (const run of runs) {
    run.then(() => {
      ++settled;
      lastAt = Date.now();
    });
  }
  while (runs.length > 0 && sum(pools, 'running') === 0) await new Promise((turn) => setImmediate(turn));
  return () => ({
    accepted: runs.length,
    settled,
    lastAt,
    queued: sum(pools, 'queued'),
    running: sum(pools, 'running'),
    inFlight: sum(pools, 'inFlight'),
  });
}
