/** Tasks of every kind in waves, each of which must settle exactly once. */
import { createHash } from 'node:crypto';
import type { Pool, RunOptions } from '../../lib/index.js';
import type { Offloop } from './offloop.js';

/** A sequence that looks random and is the same for the same seed: mulberry32. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const TEXTS = Array.from({ length: 16 }, (_, i) => 'text '.repeat(i * i * 20));
const DIGESTS = TEXTS.map((text) => createHash('md5').update(text).digest('hex'));

type End = 'fulfilled' | 'failed' | 'aborted' | 'refused' | 'wrong';

/** What became of each task: how often it settled, and how. */
export class Ledger {
  readonly #settled: Uint8Array;
  readonly ends: Record<End, number> = { fulfilled: 0, failed: 0, aborted: 0, refused: 0, wrong: 0 };
  #next = 0;

  constructor(tasks: number) {
    this.#settled = new Uint8Array(tasks);
  }

  /** `expected` tells whether a result is right; a task may fail only where `mayFail`. */
  enter(run: Promise<unknown>, expected: (result: unknown) => boolean, mayFail: boolean): Promise<void> {
    const id = this.#next++;
    const note = (end: End) => {
      ++this.ends[end];
      this.#settled[id] = (this.#settled[id] ?? 0) + 1;
    };
    return run.then(
      (result) => note(expected(result) && !mayFail ? 'fulfilled' : 'wrong'),
      ({ code }) => {
        if (code === 'ABORT_ERR') note('aborted');
        else if (code === 'ERR_OFFLOOP_QUEUE_FULL') note('refused');
        else note(mayFail && code === 'ERR_OFFLOOP_SYSTEM' ? 'failed' : 'wrong');
      },
    );
  }

  /** Tasks that did not settle exactly once. */
  get mistakes(): number {
    return this.#settled.reduce((count, times) => count + Number(times !== 1), 0);
  }
}

/** Runs tasks of every kind in waves, some of them aborted sooner or later, some beyond the capacity. */
export async function storm(offloop: Offloop, pools: readonly Pool[], tasks: number, seed: number): Promise<Ledger> {
  const below = randomNumbers(seed);
  const ledger = new Ledger(tasks);
  const runs: Promise<void>[] = [];
  const early: AbortController[] = []; // aborted right after they were submitted
  let late: AbortController[] = []; // when some of their wave have settled
  const options = (): RunOptions | undefined => {
    const dice = below(10);
    if (dice < 4) return undefined;
    if (dice < 9) return { priority: below(256), input: (['auto', 'copy', 'borrow'] as const)[below(3)] as 'auto' };
    const controller = new AbortController();
    const when = below(3);
    if (when === 0) early.push(controller);
    else if (when === 1) queueMicrotask(() => controller.abort());
    else late.push(controller);
    return { signal: controller.signal };
  };
  while (runs.length < tasks) {
    for (let wave = Math.min(below(6000), tasks - runs.length); wave > 0; --wave) {
      const pool = pools[below(pools.length)] as Pool;
      const dice = below(100);
      const which = below(TEXTS.length);
      if (dice < 60) {
        runs.push(ledger.enter(pool.run(offloop.noop, [], options()), (result) => result === undefined, false));
      } else if (dice < 90) {
        const isRight = (result: unknown) => (result as Buffer).toString('hex') === DIGESTS[which];
        const run = pool.run(offloop.hash, ['md5', TEXTS[which] as string], options());
        runs.push(ledger.enter(run, isRight, false));
      } else if (dice < 95) {
        const run = pool.run(offloop.unlink, [`/no/such/file/${which}`], options());
        runs.push(ledger.enter(run, () => false, true));
      } else {
        const run = pool.run(offloop.sleep, [below(5)], options());
        runs.push(ledger.enter(run, (result) => result === undefined, false));
      }
      early.pop()?.abort();
    }
    if (below(2) === 0) await new Promise((resolve) => setImmediate(resolve));
    else await runs.at(-1 - below(Math.min(runs.length, 2000) || 1));
    for (const controller of late) controller.abort();
    late = [];
  }
  await Promise.all(runs);
  return ledger;
}
