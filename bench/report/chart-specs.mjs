// @ts-check
import { driversByName } from '../drivers/index.mjs';
import { machineLine } from './machine.mjs';
import { significant } from './tables.mjs';

/** @typedef {import('./print.mjs').Figures} Figures */

const groupColours = {
  offloop: '#2563eb',
  'native addons': '#d97706',
  "Node's own": '#059669',
  'JavaScript worker pools': '#a855f7',
  'no thread at all': '#94a3b8',
};
const groupLabels = {
  offloop: 'offloop',
  native: 'native addons',
  node: "Node's own",
  js: 'JavaScript worker pools',
  floor: 'no thread at all',
};

/** @param {string} name */
function rowOf(name) {
  const driver = driversByName.get(name);
  return { driver: driver.label, group: groupLabels[driver.group] };
}

/**
 * Colours only for the groups that are drawn.
 * @param {{ group: string }[]} rows
 */
function groupColour(rows) {
  const domain = Object.keys(groupColours).filter((group) => rows.some((row) => row.group === group));
  return {
    field: 'group',
    type: 'nominal',
    scale: { domain, range: domain.map((group) => groupColours[group]) },
    legend: domain.length > 2 ? { title: null, orient: 'bottom', columns: domain.length, symbolOpacity: 1 } : null,
  };
}

/** @param {{ driver: string }[]} rows in the order to draw them */
const driverAxis = (rows) => ({
  field: 'driver',
  type: 'nominal',
  sort: [...new Set(rows.map(({ driver }) => driver))],
  axis: { title: null, ticks: false, domain: false },
});

/**
 * @param {string} text
 * @param {string} how
 * @param {Figures} figures
 */
function title(text, how, { machine, rounds }) {
  return { text, subtitle: [`${how} · median of ${rounds}, a fresh process per sample`, machineLine(machine)] };
}

const loads = {
  'empty/16': '16 in flight',
  'empty/256': '256 in flight',
  'empty/2048': '2048 in flight',
  'empty/bursts': 'bursts of 1000',
};

/** @param {Figures} figures */
export function throughputSpec(figures) {
  const { summary } = figures;
  const rows = Object.entries(loads).flatMap(([caseName, load]) =>
    Object.entries(ordered(summary[caseName])).map(([name, { m_per_s }]) => ({
      ...rowOf(name),
      load,
      value: m_per_s.median,
      text: significant(m_per_s.median),
    })),
  );
  const widest = Math.max(...rows.map(({ value }) => value));
  const x = {
    field: 'value',
    type: 'quantitative',
    scale: { domain: [0, widest * 1.12], nice: false },
    axis: { title: 'million tasks per second', tickCount: 6 },
  };
  return {
    title: title('Empty task: throughput', 'two threads each, longer is better', figures),
    data: { values: rows },
    facet: {
      field: 'load',
      type: 'nominal',
      sort: Object.values(loads),
      title: null,
      header: { labelAnchor: 'start' },
    },
    columns: 2,
    spec: {
      width: 300,
      height: { step: 19 },
      encoding: { y: driverAxis(rows), x },
      layer: [
        { mark: { type: 'bar', height: 13 }, encoding: { color: groupColour(rows) } },
        { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { text: { field: 'text' } } },
      ],
    },
  };
}

/**
 * A dot at p50 and a line to p99: bars would have no meaning on a log scale.
 * @param {{ driver: string, group: string, p50: number, p99: number, text: string }[]} rows
 * @param {string} axisTitle
 */
function spreadLayers(rows, axisTitle) {
  const low = 10 ** Math.floor(Math.log10(Math.min(...rows.map(({ p50 }) => p50))));
  // Room for the label right of the longest line.
  const high = Math.max(...rows.map(({ p99 }) => p99)) * 12;
  const scale = { type: 'log', domain: [low, high], nice: false };
  const powersOfTen = [0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000].filter((value) => value >= low && value <= high);
  const x = {
    type: 'quantitative',
    scale,
    axis: { title: axisTitle, values: powersOfTen, labelExpr: "format(datum.value, '~f')" },
  };
  const color = groupColour(rows);
  return [
    {
      mark: { type: 'rule', strokeWidth: 3, opacity: 0.45 },
      encoding: { x: { ...x, field: 'p50' }, x2: { field: 'p99' }, color },
    },
    { mark: { type: 'point', filled: true, size: 90, opacity: 1 }, encoding: { x: { ...x, field: 'p50' }, color } },
    { mark: { type: 'tick', thickness: 3, size: 11 }, encoding: { x: { ...x, field: 'p99' }, color } },
    { mark: { type: 'text', align: 'left', dx: 8 }, encoding: { x: { ...x, field: 'p99' }, text: { field: 'text' } } },
  ];
}

/** @param {Figures} figures */
export function latencySpec(figures) {
  const rows = Object.entries(ordered(figures.summary['empty/serial'])).map(([name, { p50_us, p99_us }]) => ({
    ...rowOf(name),
    p50: p50_us.median,
    p99: p99_us.median,
    text: `${significant(p50_us.median)} · ${significant(p99_us.median)}`,
  }));
  return {
    title: title(
      'Empty task, one after the other: round trip',
      'dot p50, tick p99 (figures: p50 · p99 µs), further left is better',
      figures,
    ),
    data: { values: rows },
    width: 560,
    height: { step: 22 },
    encoding: { y: driverAxis(rows) },
    layer: spreadLayers(rows, 'µs per round trip, log scale'),
  };
}

/** @param {Figures} figures */
export function isolationSpec(figures) {
  const calls = { lookup: "dns lookup('localhost')", read: 'readFile of a small file' };
  const rows = Object.entries(calls).flatMap(([prefix, call]) =>
    Object.entries(ordered(figures.summary.isolation)).map(([name, metrics]) => {
      const p50 = metrics[`${prefix}_p50_ms`].median;
      const p99 = metrics[`${prefix}_p99_ms`].median;
      return { ...rowOf(name), call, p50, p99, text: `${significant(p50)} · ${significant(p99)}` };
    }),
  );
  return {
    title: title(
      'Latency while 64 scrypt jobs run',
      'dot p50, tick p99 (figures: p50 · p99 ms), further left is better',
      figures,
    ),
    data: { values: rows },
    facet: {
      row: {
        field: 'call',
        type: 'nominal',
        sort: Object.values(calls),
        title: null,
        header: { labelOrient: 'top', labelAnchor: 'start' },
      },
    },
    spec: {
      width: 560,
      height: { step: 30 },
      encoding: { y: driverAxis(rows) },
      layer: spreadLayers(rows, 'ms, log scale'),
    },
  };
}

/**
 * The drivers of a case in the order of the tables.
 * @param {import('../types.d.ts').Summary[string]} byDriver
 */
function ordered(byDriver = {}) {
  return Object.fromEntries(
    [...driversByName.keys()].filter((name) => byDriver[name]).map((name) => [name, byDriver[name]]),
  );
}
