import { describe, expect, test } from 'vitest';
import { EXPECTED_ENDS, keepLedger } from './support/ledger.mjs';
import { runLedgers } from './support/ledgers.mjs';
import { doorbells, loadOffloop } from './support/offloop.js';

describe.each([
  ['loop', 100_000, 1],
  ['loop', 20_000, 2],
  ['threadsafe', 30_000, 3],
] as const)("with the doorbell '%s', of %i tasks (seed %i)", (doorbell, tasks, seed) => {
  test('each settles exactly once, and the counts of the pools say the same', async () => {
    const { ends, mistakes, named } = await keepLedger({ offloop: await loadOffloop(doorbell), tasks, seed });
    expect(named).toEqual([]);
    expect(mistakes).toBe(0);
    expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(tasks);
    for (const end of EXPECTED_ENDS) expect(ends[end], end).toBeGreaterThan(0);
  });
});

test.each(doorbells)(
  "tasks of worker_threads do so beside the main thread's, with the doorbell '%s'",
  async (doorbell) => {
    const { faults } = await runLedgers({ tasks: 40_000, workers: 2, seed: 4, doorbell });
    expect(faults).toEqual([]);
  },
);
