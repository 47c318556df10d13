// @ts-check
import Table from 'cli-table3';
import { runFlood } from '../test/support/flood.mjs';
import { Progress } from './progress.mjs';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Input of each, and how much of a file a slow reader reads. */
const FLOODS = /** @type {const} */ ([
  ['gzip', 4],
  ['gunzip', 4],
  ['hash', 4],
  ['readable', 10],
  ['byob', 10],
]);

/**
 * @param {{ quick: boolean }} options
 * @returns {Promise<string[]>} faults
 */
export async function soakStreams({ quick }) {
  /** @type {string[]} */
  const all = [];
  const progress = new Progress();
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['stream', 'GiB', 'MiB/s', 'RSS MiB', '+ MiB', 'ahead KiB', 'delay p99 ms', 'max ms', 'kept ms'],
    colAligns: ['left', ...Array(8).fill('right')],
  });
  for (const [kind, gibibytes] of FLOODS) {
    const bytes = gibibytes * (quick ? GIB / 16 : GIB);
    const { figures, faults } = await runFlood({
      kind,
      bytes,
      mostKeptMs: 10,
      onMoved: (moved) =>
        progress.show(`streams: ${kind} ${((100 * moved) / bytes).toFixed(0)} % of ${bytes / MIB} MiB`),
    });
    progress.end();
    for (const fault of faults) all.push(`${kind}: ${fault}`);
    if (!figures) continue;
    const { seconds, warmRss, grownRss, ahead, delayP99Ms, delayMaxMs, keptMaxMs } = figures;
    table.push([
      kind,
      bytes / GIB,
      (bytes / MIB / seconds).toFixed(0),
      (warmRss / MIB).toFixed(1),
      (grownRss / MIB).toFixed(1),
      (ahead / 1024).toFixed(0),
      ...[delayP99Ms, delayMaxMs, keptMaxMs].map((ms) => ms.toFixed(1)),
    ]);
  }
  console.log(`streams: one at a time; RSS when warm, and how much more later
delay: of timers, as perf_hooks tell it; kept: the longest that the loop's own thread was the reason\n${table}`);
  return all;
}
