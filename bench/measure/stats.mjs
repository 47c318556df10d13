// @ts-check

/**
 * Sorts in place.
 * @param {Float64Array | number[]} values
 * @param {number[]} shares between 0 and 1
 */
export function percentiles(values, shares) {
  if (values.length === 0) throw new Error('nothing was measured');
  if (Array.isArray(values)) values.sort((a, b) => a - b);
  else values.sort();
  return shares.map((share) => values[Math.min(values.length - 1, Math.floor(share * values.length))]);
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {number[]} values
 * @returns {import('../types.d.ts').Spread}
 */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
