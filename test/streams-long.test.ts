import { expect, test } from 'vitest';
import { runFlood } from './support/flood.mjs';

const MIB = 2 ** 20;

/** `npm run soak -- streams` does it with 4 GiB, and 10 GiB for a reader that is slow. */
test.each(['gzip', 'gunzip', 'hash', 'readable', 'byob'] as const)(
  'a long stream of %s keeps to little memory, and leaves the loop alone',
  async (kind) => {
    const bytes = 256 * MIB;
    const { figures, faults } = await runFlood({ kind, bytes });
    expect(faults).toEqual([]);
    expect(figures?.bytes).toBe(bytes);
  },
  120_000,
);
