// @ts-check
import Table from 'cli-table3';
import { ENDINGS, endOnce, STATES } from '../test/support/exits.mjs';
import { Progress } from './progress.mjs';

const LIMIT_MS = 1000;

/**
 * @param {{ rounds: number, quick: boolean }} options
 * @returns {Promise<string[]>} faults
 */
export async function soakExits({ rounds, quick }) {
  const waitMs = quick ? 500 : 5000;
  const cells = Array.from({ length: rounds }, (_, round) =>
    STATES.flatMap((state) => ENDINGS.map((ending) => ({ state, ending, round }))),
  ).flat();
  /** @type {Map<string, { passed: number, longestMs: number }>} */
  const results = new Map();
  /** @type {string[]} */
  const faults = [];
  const progress = new Progress();
  let done = 0;
  await Promise.all(
    cells.map(async ({ state, ending, round }) => {
      const doorbell = round % 2 === 0 ? 'loop' : 'threadsafe';
      const end = await endOnce(state, ending, { doorbell, waitMs, limitMs: LIMIT_MS });
      const result = results.get(`${state} ${ending}`) ?? { passed: 0, longestMs: 0 };
      results.set(`${state} ${ending}`, result);
      result.longestMs = Math.max(result.longestMs, end.ms);
      if (end.faults.length === 0) ++result.passed;
      for (const fault of end.faults) faults.push(`${state}, ${ending}, round ${round} (${doorbell}): ${fault}`);
      progress.show(`exits ${++done}/${cells.length} · ${faults.length} faults · ${state}, ${ending}`);
    }),
  );
  progress.end();

  const table = new Table({ style: { head: [], border: [], compact: true }, head: ['ending', ...STATES] });
  for (const ending of ENDINGS) {
    const row = STATES.map((state) => {
      const { passed = 0, longestMs = 0 } = results.get(`${state} ${ending}`) ?? {};
      return `${passed}/${rounds}, ${longestMs.toFixed(0)} ms`;
    });
    table.push([ending, ...row]);
  }
  console.log(`exits: how often all was well, and the longest time from the ending to the end`);
  console.log(`(what falls off the end had about ${waitMs} ms of work to wait for first)\n${table}`);
  return faults;
}
