// @ts-check
// The far side of step.mjs: takes one step by message, runs it, sends the result back, and ends by itself.

import { steps } from './steps.mjs';

const reportEveryMs = 100;
let reportedAt = 0;

process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the parent decides.

process.once('message', async (/** @type {any} */ { name, input }) => {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL')); // The parent is gone.
  let answer;
  try {
    // @ts-expect-error The name chooses the step, and the input belongs to it.
    answer = { result: await steps[name](input, onProgress) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer, () => {
    process.removeAllListeners('disconnect');
    process.disconnect();
  });
});

/** @type {import('./step.mjs').OnProgress} */
function onProgress(done) {
  const now = performance.now();
  if (now - reportedAt < reportEveryMs) return;
  reportedAt = now;
  process.send?.({ done });
}
