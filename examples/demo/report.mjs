// @ts-check
import Table from 'cli-table3';
import { milliseconds, number, plural, size } from './format.mjs';

/** @typedef {import('./crunch.mjs').Measured & { title: string }} Crunched */
/** @typedef {import('./isolation.mjs').Isolated & { title: string }} Isolated */
/** @typedef {import('./summary.mjs').Summary} Summary */

/**
 * What the survey took, and all that it left out.
 *
 * @param {import('./survey.mjs').Found} found
 * @param {import('./options.mjs').Limits} limits
 */
export function found({ files, bytes, unreadable, tooLarge, cut }, limits) {
  const lines = [
    `${plural(files.length, 'file')}, ${size(bytes)}, each read once beforehand, so that no way pays for a cold disk.`,
  ];
  if (tooLarge)
    lines.push(`${plural(tooLarge, 'file')} larger than ${number(limits.largest)} MB left out (--largest).`);
  if (unreadable) lines.push(`${plural(unreadable, 'file or folder', 'files or folders')} could not be read.`);
  if (cut)
    lines.push(
      `Stopped at the limit of ${number(limits[cut])} ${cut === 'files' ? 'files' : 'MB'} (--${cut}); there are more.`,
    );
  return lines.join('\n');
}

/** @param {import('./agreement.mjs').Agreement} agreement */
export function agreed({ compared, changed, packed }) {
  const line = `All three ways agree: ${plural(compared, 'sha256 digest')}, ${size(packed)} of gzip (${number(packed)} bytes).`;
  return changed ? `${line}\n${plural(changed, 'file')} changed meanwhile and could not be compared.` : line;
}

/**
 * @param {{ title: string, delay: Summary }} idle
 * @param {Crunched[]} crunched
 * @param {number} threads
 */
export function filesTable(idle, crunched, threads) {
  const table = aligned([
    'sha256 + gzip',
    'files/s',
    'MB/s',
    'loop delay\np50, ms',
    'loop delay\np99, ms',
    'loop delay\nmax, ms',
  ]);
  const delays = (/** @type {Summary} */ { p50, p99, max }) => [number(p50, 2), number(p99, 2), number(max, 2)];
  table.push([idle.title, '', '', ...delays(idle.delay)]);
  for (const { title, files, bytes, seconds, delay } of crunched) {
    table.push([title, number(files / seconds), number(bytes / 1e6 / seconds, 1), ...delays(delay)]);
  }
  return `\nThe files, with ${plural(threads, 'thread')} in libuv's pool and in offloop's:\n${table}`;
}

/**
 * @param {Isolated[]} isolated
 * @param {number} threads
 * @param {number} jobs
 */
export function isolationTable(isolated, threads, jobs) {
  const table = aligned([
    `${jobs} scrypt jobs in`,
    'took\ns',
    'lookup\np50, ms',
    'lookup\np99, ms',
    'readFile\np50, ms',
    'readFile\np99, ms',
    'asked\ntimes',
  ]);
  for (const { title, seconds, lookup, readFile } of isolated) {
    const latencies = [lookup.p50, lookup.p99, readFile.p50, readFile.p99];
    table.push([title, number(seconds, 2), ...latencies.map((ms) => number(ms, 2)), number(lookup.count)]);
  }
  return `\nA look-up and a small file, asked for every 10 ms meanwhile (${plural(threads, 'thread')} in all, both times):\n${table}`;
}

/**
 * The tables in plain words; every figure comes from them.
 *
 * @param {Crunched[]} crunched
 * @param {Isolated[]} isolated
 * @param {number} jobs
 */
export function conclusions([loop, node, offloop], [shared, own], jobs) {
  const rate = (/** @type {Crunched} */ { files, seconds }) => files / seconds;
  return `
On the loop, a request would have waited up to ${milliseconds(loop.delay.max)}; with offloop, up to ${milliseconds(offloop.delay.max)}.
offloop did ${times(rate(offloop), rate(loop))} as many files a second as the loop, and ${times(rate(offloop), rate(node))} as many as Node's async calls.
While ${jobs} scrypt jobs ran, 99 of 100 look-ups came within ${milliseconds(shared.lookup.p99)} in Node's shared pool,
and within ${milliseconds(own.lookup.p99)} in an offloop pool of their own: ${sooner(shared.lookup.p99, own.lookup.p99)}.`;
}

/**
 * @param {number} ours
 * @param {number} theirs
 */
function times(ours, theirs) {
  return `${number(ours / theirs, ours / theirs < 10 ? 2 : 0)} times`;
}

/**
 * @param {number} before
 * @param {number} after
 */
function sooner(before, after) {
  const ratio = before / after;
  if (ratio >= 1.05) return `${number(ratio, ratio < 10 ? 1 : 0)} times sooner`;
  return ratio > 0.95 ? 'no difference' : `${number(1 / ratio, 1)} times later`;
}

/** @param {string[]} head the first column is text, the others are numbers */
function aligned(head) {
  /** @type {import('cli-table3').HorizontalAlignment[]} */
  const colAligns = head.map((_, column) => (column === 0 ? 'left' : 'right'));
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
}
