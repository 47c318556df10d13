/** Pools that end with the test that opened them. */
import { afterEach } from 'vitest';
import { Pool, type PoolOptions } from '../../lib/index.js';

const opened: Pool[] = [];

export function open(options: PoolOptions = {}): Pool {
  const pool = new Pool(options);
  opened.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close({ cancel: true })));
});
