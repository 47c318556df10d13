/** Work of every kind on a share in Node's pool, in whatever environment this is imported. */
import { setImmediate } from 'node:timers/promises';
import { Pool } from 'offloop';
import { gzip, hash, noop, readFile, sleep, spin } from 'offloop/ops';

/** How many results `workToTheEnd` has. */
export const TASKS = 106;

function start(pool, { ms, size, limits }) {
  const runs = [
    pool.run(sleep, [ms], limits),
    pool.run(hash, ['sha512', new Uint8Array(size)], { input: 'borrow' }),
    pool.run(gzip, [Buffer.alloc(size / 4, 'abc')]),
    pool.run(spin, [ms], limits),
    pool.run(spin, [ms], { deadlineMs: 60_000 }),
  ];
  for (let i = 0; i < 50; ++i) runs.push(pool.run(noop), pool.run(hash, ['sha256', `text ${i}`]));
  runs.push(pool.run(readFile, ['/missing']).catch(() => 'missing'));
  return runs;
}

/** Resolves with all results. */
export function workToTheEnd() {
  return Promise.all(start(Pool.node(), { ms: 5, size: 100_000, limits: { timeoutMs: 60_000, cpuBudgetMs: 60_000 } }));
}

/** Resolves in the middle of work, with its pool: some of it runs, more is queued, some sleeps. */
export async function workForever(ms = 600_000) {
  const pool = Pool.node();
  const limits = { timeoutMs: ms, cpuBudgetMs: ms };
  const asleep = pool.run(sleep, [ms], limits);
  while (pool.stats().runNs.count === 0) await setImmediate();
  const spins = Array.from({ length: 8 }, () => pool.run(spin, [ms], limits));
  for (const run of [asleep, ...spins, ...start(pool, { ms, size: 64 << 20, limits })]) run.catch(() => {});
  while (pool.stats().running < 2) await setImmediate();
  return pool;
}
