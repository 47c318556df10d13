// @ts-check
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ path: string, size: number, mtimeMs: number }} File size in bytes */
/** @typedef {{ files: File[], bytes: number, unreadable: number, tooLarge: number, cut?: 'files' | 'megabytes' }} Found */

/**
 * Lists the files to work on, in the order of their names, and reads each once: this finds the unreadable ones, and
 * all three ways then find the rest in the system's cache.
 *
 * @param {{ folder: string, limits: import('./options.mjs').Limits }} input
 * @returns {Found}
 */
export function survey({ folder, limits }) {
  /** @type {Found} */
  const found = { files: [], bytes: 0, unreadable: 0, tooLarge: 0 };
  const unreadable = () => {
    found.unreadable += 1;
  };
  for (const path of walk(folder, unreadable)) {
    try {
      const { size, mtimeMs } = statSync(path);
      if (size > limits.largest * 1e6) {
        found.tooLarge += 1;
        continue;
      }
      if (found.files.length === limits.files) found.cut = 'files';
      else if (found.bytes + size > limits.megabytes * 1e6) found.cut = 'megabytes';
      if (found.cut) break;
      found.bytes += readFileSync(path).length;
      found.files.push({ path, size, mtimeMs });
    } catch {
      unreadable();
    }
  }
  if (found.files.length === 0) throw new Error(`no readable files in ${folder}${why(found)}`);
  return found;
}

/**
 * @param {string} folder
 * @param {() => void} unreadable
 * @returns {Generator<string>}
 */
function* walk(folder, unreadable) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    unreadable();
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '.git') yield* walk(path, unreadable);
    else if (entry.isFile()) yield path;
  }
}

/** @param {Found} found */
function why({ unreadable, tooLarge, cut }) {
  const reasons = [];
  if (unreadable) reasons.push(`${unreadable} could not be read`);
  if (tooLarge) reasons.push(`${tooLarge} larger than --largest`);
  if (cut) reasons.push(`--${cut} leaves no room`);
  return reasons.length ? ` (${reasons.join(', ')})` : '';
}
