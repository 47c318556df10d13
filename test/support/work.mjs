/** Work of every kind, in whatever environment this is imported. */
import { Pool } from 'offloop';
import { gzip, hash, noop, readFile, scrypt, sleep, spin } from 'offloop/ops';

/** How many results `workToTheEnd` has. */
export const TASKS = 1010;

function start({ ms, size, N }) {
  const pool = new Pool({ name: 'work', threads: 3 });
  const runs = [
    pool.run(sleep, [ms]),
    pool.run(hash, ['sha512', new Uint8Array(size)], { input: 'borrow' }),
    pool.run(scrypt, ['password', 'salt', 64, { N, maxmem: 2 ** 30 }]),
    pool.run(gzip, [Buffer.alloc(size / 4, 'abc')]),
    pool.run(spin, [ms]),
  ];
  for (let i = 0; i < 500; ++i) {
    runs.push(pool.run(noop), pool.run(hash, ['sha256', `text ${i}`]));
    if (i % 100 === 0) runs.push(pool.run(readFile, [`/missing/${i}`]).catch(() => 'missing'));
  }
  return runs;
}

/** Resolves with all results. */
export function workToTheEnd() {
  return Promise.all(start({ ms: 5, size: 100_000, N: 2 ** 10 }));
}

/** Resolves in the middle of work: some of it runs, some is queued, asleep, or on its way back. */
export async function workForever() {
  const runs = start({ ms: 600_000, size: 64 << 20, N: 2 ** 15 });
  for (const run of runs) run.catch(() => {});
  await runs.at(-1);
}
