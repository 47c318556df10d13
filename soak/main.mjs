// @ts-check
import { soakAsan } from './asan.mjs';
import { soakExits } from './exits.mjs';
import { soakLedger } from './ledger.mjs';
import { readOptions, usage } from './options.mjs';
import { soakStreams } from './streams.mjs';
import { soakWorkers } from './workers.mjs';

/** Each prints how it goes and what came out, and returns what was wrong. */
const checks = { exits: soakExits, workers: soakWorkers, ledger: soakLedger, streams: soakStreams, asan: soakAsan };
const MOST_PRINTED = 40;

/** @param {ReturnType<typeof readOptions>} options */
async function main(options) {
  for (const name of /** @type {Array<keyof typeof checks>} */ (options.checks)) {
    const began = performance.now();
    const faults = await checks[name](options);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    for (const fault of faults.slice(0, MOST_PRINTED)) console.log(`fault: ${fault}`);
    console.log(`${name}: ${faults.length === 0 ? 'all well' : `${faults.length} faults`} after ${seconds} s\n`);
    if (faults.length > 0) process.exitCode = 1;
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else await main(options);
} catch (error) {
  process.stderr.write(`soak: ${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
