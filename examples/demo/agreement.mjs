// @ts-check
import { statSync } from 'node:fs';

/** @typedef {{ compared: number, changed: number, packed: number }} Agreement packed: bytes of gzip, in every way */

/**
 * Checks that all ways made the same of every file. A file that has changed since the survey is not compared.
 *
 * @param {import('./survey.mjs').File[]} files
 * @param {import('./crunch.mjs').Measured[]} measured
 * @returns {Agreement}
 */
export function agreement(files, measured) {
  const seen = { compared: 0, changed: 0, packed: 0 };
  for (const [index, file] of files.entries()) {
    const outcomes = measured.map(({ outcomes }) => outcomes[index]);
    const [first] = outcomes;
    if (first && 'packed' in first && outcomes.every((outcome) => same(outcome, first))) {
      seen.compared += 1;
      seen.packed += first.packed;
    } else if (hasChanged(file)) {
      seen.changed += 1;
    } else {
      throw new Error(
        `the ways do not agree on ${file.path}: ${outcomes.map((outcome) => JSON.stringify(outcome)).join(' ')}`,
      );
    }
  }
  return seen;
}

/**
 * @param {import('./crunch.mjs').Outcome | undefined} outcome
 * @param {import('./crunch.mjs').Crunched} wanted
 */
function same(outcome, wanted) {
  return (
    outcome !== undefined && 'packed' in outcome && outcome.digest === wanted.digest && outcome.packed === wanted.packed
  );
}

/** @param {import('./survey.mjs').File} file */
function hasChanged({ path, size, mtimeMs }) {
  const now = statSync(path, { throwIfNoEntry: false });
  return now?.size !== size || now.mtimeMs !== mtimeMs;
}
