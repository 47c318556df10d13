// @ts-check
import Table from 'cli-table3';
import { runLedgers } from '../test/support/ledgers.mjs';
import { Progress } from './progress.mjs';

const WORKERS = 2;

/**
 * @param {{ tasks: number, seed: number }} options
 * @returns {Promise<string[]>} faults
 */
export async function soakLedger({ tasks, seed }) {
  const progress = new Progress(1000);
  let before = { settled: 0, seconds: 0 };
  const { ends, faults } = await runLedgers({
    tasks,
    workers: WORKERS,
    seed,
    onProgress: (now) => {
      const rate = (now.settled - before.settled) / (now.seconds - before.seconds || 1);
      const percent = ((100 * now.settled) / tasks).toFixed(1);
      progress.show(`ledger ${now.settled}/${tasks} (${percent} %) · ${rate.toFixed(0)} tasks/s`);
      before = now;
    },
  });
  progress.end();
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['submitted', ...Object.keys(ends), 's', 'tasks/s'],
    colAligns: ['right'],
  });
  table.push([tasks, ...Object.values(ends), before.seconds, (before.settled / before.seconds).toFixed(0)]);
  console.log(`ledger: how tasks ended, in the main thread and ${WORKERS} worker_threads\n${table}`);
  return faults;
}
