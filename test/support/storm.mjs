// @ts-check
/** Storms of worker_threads, each in a process of its own, and whether they leave anything behind. */
import { runProgram } from './program.mjs';

/**
 * Flat is what rises by less than this over the second half of a storm, on the line that fits its samples best.
 *
 * Threads and descriptors: one. Resident memory: allocators and V8 settle for a thousand workers and more, which measured
 * up to 10 MiB on Node 20 to 26, however few workers (up to 2 MiB where they do not load offloop). What could be left
 * behind is more: of 25 workers 0.45 MiB of rings and 1 MiB of borrowed input each, of 500 workers 48 KiB each.
 */
const MOST_RISE = { rss: 24 * 2 ** 20, descriptors: 1, threads: 1 };

const KEYS = /** @type {const} */ (['rss', 'descriptors', 'threads']);

/** @type {typeof import('./storm.mjs').runStorm} */
export async function runStorm({ workers, seed, node, onSample }) {
  const every = Math.ceil(workers / 100);
  /** @type {import('./storm.mjs').Sample[]} */
  const samples = [];
  const outcome = await runProgram(
    `import { storm } from './test/support/storm-program.mjs'; await storm({ workers: ${workers}, every: ${every}, seed: ${seed} });`,
    {
      node,
      flags: ['--expose-gc'],
      timeoutMs: 20_000 + workers * 500,
      onLine: (line) => {
        const sample = JSON.parse(line);
        samples.push(sample);
        onSample?.(sample);
      },
    },
  );
  const faults = [];
  const { code, signal, stderr } = outcome;
  if (code !== 0 || signal !== null)
    faults.push(`ended with ${signal ?? code} after ${samples.at(-1)?.worker} workers`);
  if (stderr !== '') faults.push(`printed on stderr: ${stderr}`);
  const rises = { rss: 0, descriptors: 0, threads: 0 };
  const later = samples.slice(samples.length >> 1);
  for (const key of KEYS) {
    rises[key] = riseOf(later.map((sample) => [sample.worker, sample[key]]));
    if (rises[key] >= MOST_RISE[key]) faults.push(`${key} rose by ${rises[key].toFixed(1)} over the second half`);
  }
  return { samples, rises, faults, ms: outcome.ms };
}

/**
 * How much the line through the points rises from the first to the last: least squares.
 * @param {Array<readonly [x: number, y: number]>} points
 */
function riseOf(points) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x0 = mean(points.map(([x]) => x));
  const y0 = mean(points.map(([, y]) => y));
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x - x0) * (y - y0);
    variance += (x - x0) ** 2;
  }
  const [first, last] = [points.at(0)?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  return variance === 0 ? 0 : (covariance / variance) * (last - first);
}
