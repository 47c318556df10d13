// @ts-check
import Table from 'cli-table3';
import { driversByName } from '../drivers/index.mjs';

const plain = { head: [], border: [], compact: true };
const absent = '–';

/** @param {string} name */
const labelOf = (name) => driversByName.get(name)?.label ?? name;

/**
 * @param {import('../types.d.ts').Case} measured
 * @param {import('../types.d.ts').Summary[string]} byDriver
 * @param {Map<string, string>} notes by driver: why it has no figures
 */
export function caseTable(measured, byDriver, notes) {
  const [main, ...others] = measured.columns;
  const baselines = (measured.baselines ?? []).filter((name) => byDriver[name] !== undefined);
  const table = new Table({
    style: plain,
    head: [
      'driver',
      main.head,
      'min – max',
      ...others.map(({ head }) => head),
      ...baselines.map((name) => `÷ ${name}`),
    ],
    colAligns: ['left', ...Array(1 + measured.columns.length + baselines.length).fill('right')],
  });
  for (const name of measured.drivers) {
    const figures = byDriver[name];
    if (figures !== undefined) {
      const { median, min, max } = figures[main.metric];
      table.push([
        labelOf(name),
        fixed(median, main.digits),
        `${fixed(min, main.digits)} – ${fixed(max, main.digits)}`,
        ...others.map(({ metric, digits }) => fixed(figures[metric].median, digits)),
        ...baselines.map((baseline) => ratio(median / byDriver[baseline][main.metric].median)),
      ]);
    } else if (notes.has(name)) {
      table.push([
        labelOf(name),
        { content: notes.get(name), colSpan: 1 + measured.columns.length + baselines.length },
      ]);
    }
  }
  return `${measured.title}\n${table}`;
}

/** @param {readonly import('../types.d.ts').Target[]} targets */
export function targetTable(targets) {
  const table = new Table({
    style: plain,
    head: ['target', 'limit', 'measured', ''],
    colAligns: ['left', 'right', 'right', 'left'],
  });
  for (const { what, limit, measured, verdict } of targets) {
    table.push([what, limit, measured === undefined ? absent : significant(measured), verdict]);
  }
  return `Targets (ratios of medians)\n${table}`;
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function fixed(value, digits = 2) {
  return value.toFixed(digits);
}

/** @param {number} value */
const ratio = (value) => `${significant(value)}×`;

/** @param {number} value */
export function significant(value) {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(value < 0.095 ? 3 : 2);
}
