// @ts-check
import { cases } from '../cases/index.mjs';
import { machineLine } from './machine.mjs';
import { troubles } from './summary.mjs';
import { caseTable, targetTable } from './tables.mjs';

/**
 * @typedef {object} Figures
 * @property {import('../types.d.ts').Machine} machine
 * @property {number} rounds
 * @property {import('../types.d.ts').Budget} budget
 * @property {number} tookSeconds
 * @property {import('../types.d.ts').Target[]} targets
 * @property {import('../types.d.ts').Summary} summary
 * @property {import('../types.d.ts').Sample[]} samples
 */

/** @param {Figures} figures */
export function printReport({ machine, rounds, tookSeconds, targets, summary, samples }) {
  const how = rounds === 1 ? 'one sample each' : `median of ${rounds} samples each`;
  console.log(
    `${machineLine(machine)}\n${how}, a fresh process per sample, drivers interleaved, ${tookSeconds} s in all\n`,
  );

  if (machine.loadAtStart > machine.cores / 4) {
    console.log(`The machine was busy before the run (load ${machine.loadAtStart}): do not trust these figures.\n`);
  }

  for (const measured of cases) {
    const ofCase = samples.filter((sample) => sample.case === measured.name);
    if (ofCase.length === 0) continue;
    console.log(`${caseTable(measured, summary[measured.name] ?? {}, notesOf(ofCase))}\n`);
  }
  const lines = troubles(samples);
  // In a run of a few cases most targets were never asked for.
  const shown = lines.length > 0 ? targets : targets.filter(({ measured }) => measured !== undefined);
  if (shown.length > 0) console.log(`${targetTable(shown)}\n`);
  for (const line of lines) console.log(line);
}

/** @param {import('../types.d.ts').Sample[]} samples */
function notesOf(samples) {
  /** @type {Map<string, string>} */
  const notes = new Map();
  for (const { driver, failed, skipped } of samples) {
    if (failed !== undefined) notes.set(driver, 'failed, see below');
    else if (skipped !== undefined) notes.set(driver, 'skipped, see below');
  }
  return notes;
}
