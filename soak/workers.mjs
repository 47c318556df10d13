// @ts-check
import Table from 'cli-table3';
import { runStorm } from '../test/support/storm.mjs';
import { nodeBinary } from './nodes.mjs';
import { Progress } from './progress.mjs';

/**
 * @param {{ workers: number, nodes: string[], seed: number }} options
 * @returns {Promise<string[]>} faults
 */
export async function soakWorkers({ workers, nodes, seed }) {
  const own = process.versions.node.split('.')[0] ?? '';
  const faults = [];
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['Node', 'workers', 's', 'RSS MiB', 'KiB per worker', 'descriptors', 'threads'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const version of nodes.length > 0 ? nodes : [own]) {
    const node = nodeBinary(version);
    const progress = new Progress();
    const storm = await runStorm({
      workers,
      seed,
      node,
      onSample: ({ worker, rss, descriptors, threads }) =>
        progress.show(
          `workers, Node ${version}: ${worker}/${workers} · ${mebibytes(rss)} MiB · ${descriptors} descriptors · ${threads} threads`,
        ),
    });
    progress.end();
    const { samples, rises } = storm;
    const [first, last] = [samples.at(0), samples.at(-1)];
    const perWorker = rises.rss / 1024 / ((last?.worker ?? 0) - (samples[samples.length >> 1]?.worker ?? 0));
    table.push([
      version,
      last?.worker ?? 0,
      (storm.ms / 1000).toFixed(1),
      `${mebibytes(first?.rss)} – ${mebibytes(last?.rss)}`,
      perWorker.toFixed(2),
      `${first?.descriptors} – ${last?.descriptors}`,
      `${first?.threads} – ${last?.threads}`,
    ]);
    faults.push(...storm.faults.map((fault) => `Node ${version}: ${fault}`));
  }
  console.log(`workers: first – last sample, and the slope of resident memory over the second half\n${table}`);
  return faults;
}

/** @param {number} [bytes] */
const mebibytes = (bytes = 0) => (bytes / 2 ** 20).toFixed(1);
