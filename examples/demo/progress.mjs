// @ts-check
import { Presets, SingleBar } from 'cli-progress';
import { number, seconds } from './format.mjs';

/** @type {SingleBar | undefined} */
let shown;

/**
 * Runs a step under a progress bar, or on anything but a terminal, under one plain line.
 *
 * @template Result
 * @param {{ title: string, total: number, unit: string }} goal
 * @param {(onProgress: import('./step.mjs').OnProgress) => Promise<Result>} step
 * @returns {Promise<Result>}
 */
export async function withProgress({ title, total, unit }, step) {
  const begin = performance.now();
  if (!process.stdout.isTTY) {
    const result = await step(() => {});
    console.log(`${title}: ${number(total)} ${unit} in ${seconds(performance.now() - begin)}`);
    return result;
  }
  const bar = new SingleBar(
    {
      stream: process.stdout,
      format: `{title} {bar} {percentage} % of ${number(total)} ${unit}, {seconds}`,
      barsize: 20,
      fps: 8,
      hideCursor: true,
      gracefulExit: false, // main.mjs hears Ctrl-C.
    },
    Presets.shades_classic,
  );
  const look = () => ({ title: title.padEnd(24), seconds: seconds(performance.now() - begin) });
  shown = bar;
  bar.start(total, 0, look());
  try {
    const result = await step((done) => bar.update(done, look()));
    bar.update(total, look());
    return result;
  } finally {
    stopProgress();
  }
}

/** Takes the bar down, if there is one, and gives the cursor back. */
export function stopProgress() {
  shown?.stop();
  shown = undefined;
}
