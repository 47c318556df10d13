import { expect, test } from 'vitest';
import { runFlood } from './support/flood.mjs';

const MIB = 2 ** 20;
/** Of processor time, which on a busy machine goes less far than the 10 ms that it is elsewhere. */
const MOST_KEPT_MS = 25;

/** `npm run soak -- streams` does it with 4 GiB, and 10 GiB for a reader that is slow. */
test.each(['gzip', 'gunzip', 'hash', 'readable', 'byob'] as const)(
  'a long stream of %s keeps to little memory, and leaves the loop alone',
  async (kind) => {
    const bytes = 256 * MIB;
    const { figures, faults } = await runFlood({ kind, bytes, mostKeptMs: MOST_KEPT_MS });
    expect(faults).toEqual([]);
    expect(figures?.bytes).toBe(bytes);
  },
  120_000,
);
