// @ts-check

/** @param {number} value */
export function number(value, decimals = 0) {
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** @param {number} ms */
export const seconds = (ms) => `${number(ms / 1000, 1)} s`;

/** @param {number} bytes */
export const size = (bytes) => (bytes < 1e6 ? `${number(bytes / 1e3, 1)} kB` : `${number(bytes / 1e6, 1)} MB`);

/** Milliseconds with the digits that matter: 0.12, 3.4, 1,250. @param {number} ms */
export const milliseconds = (ms) => `${number(ms, ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;

/**
 * @param {number} count
 * @param {string} one
 */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
