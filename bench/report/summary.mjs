// @ts-check
import { spread } from '../measure/stats.mjs';

/**
 * @param {readonly import('../types.d.ts').Sample[]} samples
 * @returns {import('../types.d.ts').Summary}
 */
export function summarize(samples) {
  /** @type {Map<string, import('../types.d.ts').Metrics[]>} */
  const rounds = new Map();
  for (const { case: caseName, driver, metrics } of samples) {
    if (metrics === undefined) continue;
    const key = `${caseName} ${driver}`;
    rounds.set(key, [...(rounds.get(key) ?? []), metrics]);
  }

  /** @type {import('../types.d.ts').Summary} */
  const summary = {};
  for (const [key, measured] of rounds) {
    const [caseName, driver] = key.split(' ');
    summary[caseName] ??= {};
    summary[caseName][driver] = Object.fromEntries(
      Object.keys(measured[0]).map((metric) => [metric, spread(measured.map((metrics) => metrics[metric]))]),
    );
  }
  return summary;
}

/**
 * One line for each (case × driver) that failed or was skipped.
 * @param {readonly import('../types.d.ts').Sample[]} samples
 */
export function troubles(samples) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { case: caseName, driver, failed, skipped } of samples) {
    if (failed === undefined && skipped === undefined) continue;
    const line = `${caseName} × ${driver} ${failed === undefined ? `skipped: ${skipped}` : `failed: ${failed}`}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => (count > 1 ? `${line} (${count} times)` : line));
}
