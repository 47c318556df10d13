import { describe, expect, test } from 'vitest';
import { ENDINGS, endOnce, STATES } from './support/exits.mjs';
import { doorbells } from './support/offloop.js';

/** Twice, once with each doorbell; `npm run soak -- exits` does it twenty times. */
describe.concurrent.each(STATES)("in the state '%s', a process", (state) => {
  test.each(ENDINGS)('%s, in time, with the right code, and leaves nothing behind', async (ending) => {
    for (const doorbell of doorbells) {
      const { faults } = await endOnce(state, ending, { doorbell, waitMs: 500, limitMs: 3000 });
      expect(faults).toEqual([]);
    }
  });
});
