// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { summary } from './summary.mjs';

const periodMs = 1;

/**
 * A beat is due every millisecond; each due beat counts, with how late it came.
 * After a long stop the beats missed meanwhile count too, each later by one period than the next: that is how long
 * a request that arrived at that moment would have waited.
 */
export function startHeartbeat() {
  /** @type {number[]} */
  const lateMs = [];
  let due = performance.now() + periodMs;
  const beat = () => {
    const now = performance.now();
    lateMs.push(Math.max(0, now - due));
    for (due += periodMs; due < now; due += periodMs) lateMs.push(now - due);
    due = now + periodMs;
  };
  const timer = setInterval(beat, periodMs);
  return {
    /** Ends it and sums up the delays, in ms. */
    stop() {
      clearInterval(timer);
      beat();
      return summary(lateMs);
    },
  };
}

/**
 * The delay of a loop that has nothing to do.
 *
 * @param {{ milliseconds: number }} input
 */
export async function idle({ milliseconds }) {
  const heartbeat = startHeartbeat();
  await sleep(milliseconds);
  return heartbeat.stop();
}
