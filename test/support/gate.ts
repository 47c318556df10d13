/** Ways to stop a pool at a known point, so that tests need no sleeps. */
import { setImmediate } from 'node:timers/promises';
import type { Pool } from '../../lib/index.js';
import { spin } from '../../lib/ops.js';

const FOREVER_MS = 60_000;
const PATIENCE_MS = 10_000;

/** Lets the loop turn until the condition holds. Throws when that takes too long to be right. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await setImmediate();
  }
}

export interface Held {
  /** Lets the threads go on; resolves when they do. */
  release(): Promise<void>;
}

/** Occupies threads of an idle pool, so that whatever is submitted next has to wait. `burn`: of the pool's copy of offloop. */
export async function hold(pool: Pool, threads = 1, burn = spin): Promise<Held> {
  const controller = new AbortController();
  const { signal } = controller;
  const spins = Array.from({ length: threads }, () => pool.run(burn, [FOREVER_MS], { signal, priority: 'high' }));
  const ended = Promise.allSettled(spins);
  await until(() => pool.stats().running === threads, 'the threads are taken');
  return {
    async release() {
      controller.abort();
      await ended;
    },
  };
}

/** Calls back with the name of each promise as it settles, in that order. */
export function inOrder<T>(promises: Iterable<readonly [T, Promise<unknown>]>): Promise<T[]> {
  const order: T[] = [];
  const note = (name: T) => () => void order.push(name);
  return Promise.all([...promises].map(([name, promise]) => promise.then(note(name), note(name)))).then(() => order);
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const value = await promise.then(
    (value) => ({ value }),
    (error) => error,
  );
  if (!(value instanceof Error)) throw new Error('it was fulfilled', { cause: value });
  return value as Error & Record<string, unknown>;
}
