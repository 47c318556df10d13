// @ts-check
// Hashes and gzips a folder of real files on the loop, on libuv's pool and on offloop, and shows what each does to the loop.
// Start reading at ways/offloop.mjs; ways/node.mjs is the same work without offloop.

import { agreement } from './agreement.mjs';
import { checkFolder, readOptions, UsageError, usage } from './options.mjs';
import { stopProgress, withProgress } from './progress.mjs';
import * as report from './report.mjs';
import { runStep, stopStep } from './step.mjs';

const ways = [
  { way: 'loop', title: 'on the loop', inFlight: 1 },
  { way: 'node', title: "Node's async calls", inFlight: 16 },
  { way: 'offloop', title: 'offloop', inFlight: 16 },
];
const pools = [
  { way: 'node', title: "Node's shared pool" },
  { way: 'offloop', title: 'two offloop pools' },
];
const jobs = 64;

// Not once: npm passes on the Ctrl-C that the terminal has sent already, and the second must not kill.
process.on('SIGINT', () => {
  stopStep();
  stopProgress();
  console.error('Interrupted.');
  process.exit(130);
});
process.stdout.on('error', () => process.exit(1)); // The reader of a pipe has gone.

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else await demo(options);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`demo: ${message.replace(/\s+/g, ' ')}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** @param {import('./options.mjs').DemoOptions} options */
async function demo({ folder, limits, threads }) {
  checkFolder(folder);
  console.log(`Looking through ${folder} …`);
  const found = await runStep('survey', { folder, limits }, { threads });
  console.log(report.found(found, limits));
  const { files } = found;

  const idle = { title: '(an idle loop)', delay: await runStep('idle', { milliseconds: 1000 }, { threads }) };
  const crunched = [];
  for (const { way, title, inFlight } of ways) {
    const goal = { title, total: files.length, unit: 'files' };
    const input = { way, files, threads, inFlight };
    const measured = await withProgress(goal, (onProgress) => runStep('crunch', input, { threads, onProgress }));
    crunched.push({ title, ...measured });
  }
  console.log(report.agreed(agreement(files, crunched)));

  const isolated = [];
  for (const { way, title } of pools) {
    const goal = { title, total: jobs, unit: 'scrypt jobs' };
    const input = { way, jobs, threads };
    const measured = await withProgress(goal, (onProgress) => runStep('isolation', input, { threads, onProgress }));
    isolated.push({ title, ...measured });
  }

  console.log(report.filesTable(idle, crunched, threads));
  console.log(report.isolationTable(isolated, threads, jobs));
  console.log(report.conclusions(crunched, isolated, jobs));
}
