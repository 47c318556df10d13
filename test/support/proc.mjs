// @ts-check
/** What Linux tells about this process. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** @type {typeof import('./proc.mjs').threadNames} */
export function threadNames() {
  return list('/proc/self/task', (path) => readFileSync(`${path}/comm`, 'utf8').trimEnd());
}

/** @type {typeof import('./proc.mjs').openDescriptors} */
export function openDescriptors() {
  return list('/proc/self/fd', (path) => readlinkSync(path)); // but for the one that reads the folder, closed by now
}

/** @type {typeof import('./proc.mjs').positionIn} */
export function positionIn(path) {
  const [position] = list('/proc/self/fd', (entry) => {
    if (readlinkSync(entry) !== path) throw new Error('another file');
    return readFileSync(entry.replace('fd', 'fdinfo'), 'utf8').match(/pos:\s+(\d+)/)?.[1] ?? '';
  });
  return position === undefined ? undefined : Number(position);
}

/**
 * @param {string} folder
 * @param {(path: string) => string} describe
 */
function list(folder, describe) {
  return readdirSync(folder).flatMap((name) => {
    try {
      return [describe(`${folder}/${name}`)];
    } catch {
      return []; // it has just ended
    }
  });
}
