// @ts-check
import { percentiles } from './stats.mjs';

const now = () => performance.now();

/** Reading the clock after every task would cost as much as a promise does. */
const tasksPerClockReading = 64;

/**
 * Independent lanes, each awaiting one task after another.
 * @param {() => Promise<unknown>} task
 * @param {number} lanes
 * @param {number} ms
 * @returns {Promise<number>} tasks per second
 */
export async function lanesPerSecond(task, lanes, ms) {
  let settled = 0;
  let open = true;
  const start = now();
  const end = start + ms;
  async function lane() {
    while (open) {
      await task();
      settled += 1;
      if (settled % tasksPerClockReading === 0 && now() >= end) open = false;
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  return (settled / (now() - start)) * 1000;
}

/**
 * Submits `size` tasks at once, awaits them all, and starts again.
 * @param {() => Promise<unknown>} task
 * @param {number} size
 * @param {number} ms
 * @returns {Promise<number>} tasks per second
 */
export async function burstsPerSecond(task, size, ms) {
  const burst = new Array(size);
  const start = now();
  const end = start + ms;
  let settled = 0;
  while (now() < end) {
    for (let index = 0; index < size; index += 1) burst[index] = task();
    await Promise.all(burst);
    settled += size;
  }
  return (settled / (now() - start)) * 1000;
}

const mostRoundTrips = 1 << 22;

/**
 * One task after the other.
 * @param {() => Promise<unknown>} task
 * @param {number} ms
 * @returns {Promise<{ p50: number, p99: number, perSecond: number }>} round trips in µs
 */
export async function roundTrips(task, ms) {
  const micros = new Float64Array(mostRoundTrips);
  const start = now();
  const end = start + ms;
  let count = 0;
  let before = start;
  while (before < end && count < mostRoundTrips) {
    await task();
    const after = now();
    micros[count] = (after - before) * 1000;
    before = after;
    count += 1;
  }
  const [p50, p99] = percentiles(micros.subarray(0, count), [0.5, 0.99]);
  return { p50, p99, perSecond: (count / (before - start)) * 1000 };
}
