import { checkNumber } from '../check.js';
import { defineTask } from '../define-task.js';

/** 285 years: the native clock counts nanoseconds in 64 bits. */
const kForeverMs = 9e12;

function checkMs(value: unknown): number {
  return Math.min(checkNumber('ms', value, 0, Number.MAX_SAFE_INTEGER), kForeverMs);
}

/**
 * Does nothing: the round trip through a pool and back.
 *
 * @rejects as every run: see Pool.run
 * @example
 * await noop();
 */
export const noop = defineTask<readonly [], undefined>({ name: 'noop', arity: 0 });

/**
 * Waits, without holding a thread. Shutting down is not held up either: cancelled, it ends at once.
 *
 * @param ms - milliseconds from now, finite and not negative; fractions count
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run
 * @example
 * await sleep(20);
 */
export const sleep = defineTask<[ms: number], undefined>({
  name: 'sleep',
  arity: 1,
  encode([ms], cells) {
    cells.number(checkMs(ms));
  },
});

/**
 * Burns processor time on one thread: for tests and benches. It keeps its thread whoever waits; cancelled, it ends within
 * microseconds. Progress: milliseconds.
 *
 * @param ms - milliseconds of the clock, finite and not negative; fractions count
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run
 * @example
 * await Promise.all([spin(5), spin(5)]); // 5 ms on two threads
 */
export const spin = defineTask<[ms: number], undefined>({
  name: 'spin',
  arity: 1,
  encode([ms], cells) {
    cells.number(checkMs(ms));
  },
});
