import { describe, expect, test } from 'vitest';
import { EXPECTED_ENDS, keepLedger } from './support/ledger.mjs';
import { loadOffloop } from './support/offloop.js';

describe.each([
  ['loop', 20_000, 4],
  ['threadsafe', 20_000, 5],
] as const)("on shares in Node's pool, with the doorbell '%s', of %i tasks (seed %i)", (doorbell, tasks, seed) => {
  test('each settles exactly once, and the counts of the pools say the same', async () => {
    const offloop = await loadOffloop(doorbell);
    const { ends, mistakes, named } = await keepLedger({ offloop, tasks, seed, onNode: true });
    expect({ mistakes, named }).toEqual({ mistakes: 0, named: [] });
    expect(Object.values(ends).reduce((sum, count) => sum + count)).toBe(tasks);
    for (const end of EXPECTED_ENDS) expect(ends[end], end).toBeGreaterThan(0);
  });
});
