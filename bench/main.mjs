// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPeers } from './build-peers.mjs';
import { readOptions, usage } from './options.mjs';
import { missingPart, plan, samplesOfRound } from './plan.mjs';
import { startProgress } from './progress.mjs';
import { drawCharts } from './report/charts.mjs';
import { describeMachine } from './report/machine.mjs';
import { printReport } from './report/print.mjs';
import { summarize } from './report/summary.mjs';
import { checkTargets } from './report/targets.mjs';
import { runSample } from './run-sample.mjs';

const docsFolder = fileURLToPath(new URL('../docs/', import.meta.url));

/**
 * @param {ReturnType<typeof readOptions>} options
 * @param {AbortSignal} signal
 */
async function measureAll(options, signal) {
  const planned = plan(options);
  if (planned.length === 0) throw new Error('no case has that name and that driver');
  const total = options.rounds * planned.reduce((sum, { drivers }) => sum + drivers.length, 0);
  const noPeers = await buildPeers();
  if (noPeers !== undefined) process.stderr.write(`bench/peers does not build: ${noPeers}\n`);

  const progress = startProgress({ total, rounds: options.rounds });
  /** @type {import('./types.d.ts').Sample[]} */
  const samples = [];
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      for (const { measured, driver } of samplesOfRound(planned, round)) {
        progress.begin(measured.name, driver.name, round);
        const skipped = missingPart(driver);
        const outcome = skipped ? { skipped } : await runSample(measured, driver, options.budget, signal);
        signal.throwIfAborted();
        samples.push({ case: measured.name, driver: driver.name, round, ...outcome });
        progress.end();
      }
    }
  } finally {
    progress.stop();
  }
  return samples;
}

/** @param {ReturnType<typeof readOptions>} options */
async function main(options) {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

  const machine = describeMachine();
  const start = performance.now();
  const samples = await measureAll(options, interrupt.signal);
  const summary = summarize(samples);
  const figures = {
    machine,
    rounds: options.rounds,
    budget: options.budget,
    tookSeconds: Math.round((performance.now() - start) / 1000),
    targets: checkTargets(summary),
    summary,
    samples,
  };
  printReport(figures);

  const out = options.publishes ? `${docsFolder}bench.json` : options.out;
  if (out !== undefined) {
    if (options.publishes) mkdirSync(docsFolder, { recursive: true });
    writeFileSync(out, `${JSON.stringify(figures, null, 1)}\n`);
    console.log(`figures: ${out}`);
  }
  if (options.publishes) await publishCharts(figures);
  if (samples.some(({ failed }) => failed !== undefined)) process.exitCode = 1;
}

/** @param {import('./report/print.mjs').Figures} figures */
async function publishCharts(figures) {
  for (const path of await drawCharts(figures, docsFolder)) console.log(`chart: ${path}`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
  } else if (options.from !== undefined) {
    const figures = JSON.parse(readFileSync(options.from, 'utf8'));
    printReport(figures);
    await publishCharts(figures);
  } else {
    await main(options);
  }
} catch (error) {
  const interrupted = error.message === 'interrupted';
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = interrupted ? 130 : 1;
}
