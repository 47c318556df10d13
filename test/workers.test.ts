import { expect, test } from 'vitest';
import { runStorm } from './support/storm.mjs';

/** `npm run soak -- workers` does it with a thousand of them, on several versions of Node. */
test('fifty worker_threads, terminated in the middle of 64 tasks, leave no memory, thread or descriptor behind', async () => {
  const { samples, faults } = await runStorm({ workers: 50, seed: 1 });
  expect(faults).toEqual([]);
  expect(samples).toHaveLength(50);
});
