// @ts-check
import { writeFileSync } from 'node:fs';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { isolationSpec, latencySpec, throughputSpec } from './chart-specs.mjs';

const text = '#1f2937';
const font = 'Helvetica, Arial, sans-serif';

const look = {
  background: 'white',
  padding: 16,
  config: {
    font,
    view: { stroke: null },
    title: { anchor: 'start', fontSize: 16, subtitleFontSize: 11, subtitleColor: '#4b5563', color: text, offset: 14 },
    axis: {
      labelLimit: 0,
      labelPadding: 6,
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      labelColor: text,
      titleColor: text,
      gridColor: '#e5e7eb',
    },
    header: { labelFontSize: 13, labelFontWeight: 'bold', labelColor: text },
    legend: { labelLimit: 0, labelFontSize: 12, labelColor: text, symbolType: 'square' },
    text: { fontSize: 11, color: text },
  },
};

// Without a canvas Vega takes every letter as 0.8 em wide, and would leave that much empty.
/** @type {any} */ (vega).textMetrics.width = (item, text) => 0.58 * item.fontSize * String(text ?? item.text).length;

const charts = [
  {
    file: 'bench-throughput.svg',
    cases: ['empty/16', 'empty/256', 'empty/2048', 'empty/bursts'],
    spec: throughputSpec,
  },
  { file: 'bench-latency.svg', cases: ['empty/serial'], spec: latencySpec },
  { file: 'bench-isolation.svg', cases: ['isolation'], spec: isolationSpec },
];

/**
 * Draws what has been measured.
 * @param {import('./print.mjs').Figures} figures
 * @param {string} folder with a slash at its end
 * @returns {Promise<string[]>} the files written
 */
export async function drawCharts(figures, folder) {
  const written = [];
  for (const { file, cases, spec } of charts) {
    if (!cases.every((name) => figures.summary[name] !== undefined)) continue;
    const whole = /** @type {vegaLite.TopLevelSpec} */ ({ ...look, ...spec(figures) });
    const { spec: compiled } = vegaLite.compile(whole);
    const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG();
    writeFileSync(folder + file, `${svg}\n`);
    written.push(folder + file);
  }
  return written;
}
