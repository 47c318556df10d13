/** How a process ends, for programs that do: prints what it is in the middle of, ends, and prints how far it has come. */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { noop, sleep } from 'offloop/ops';
import { openDescriptors, threadNames } from './proc.mjs';
import { enter } from './states.mjs';

const PATIENCE_MS = 10_000;

const print = (facts) => writeSync(1, `${JSON.stringify({ at: Date.now(), ...facts })}\n`);

const endings = {
  fall() {},
  exit: () => process.exit(7),
  throw: () =>
    setTimeout(() => {
      throw new Error('on purpose');
    }),
  reject: () => void Promise.reject(new Error('on purpose')),
  wait: () => void setInterval(() => {}, 1000),
};

/** The main thread is in the state, and ends. */
export async function endMain(state, ending, ms) {
  const progress = await enter(state, ms);
  process.on('exit', () => print(progress()));
  print(progress());
  endings[ending]();
}

/** A worker_thread is in the state, and ends; the main thread looks at what is left of it. */
export async function endWorker(state, ending, ms) {
  const spawn = (workerData) =>
    new Worker(new URL('exits-worker.mjs', import.meta.url), { workerData, execArgv: [] }).on('error', rethrow);
  // What lives as long as the process does is there before: the reactor, Node's own threads.
  while (!threadNames().includes('offloop/reactor')) await sleep(20);
  await endOne(spawn({ state: 'idle', ms: 0 }), ending, () => {});
  await until(() => !threadNames().some((name) => name.startsWith('idle/')));
  const before = { threads: threadNames(), descriptors: openDescriptors() };

  const code = await endOne(spawn({ state, ms }), ending, print);
  const left = () => ({
    threads: surplus(threadNames(), before.threads),
    descriptors: surplus(openDescriptors(), before.descriptors),
  });
  await until(() => Object.values(left()).flat().length === 0);
  print({ code, ...left() });
  await noop(); // the main thread's own pool goes on
}

/** Gives up after a while; what is left shows then. */
async function until(condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!condition() && Date.now() < end) await new Promise((go) => setTimeout(go, 2));
}

async function endOne(worker, ending, report) {
  const [progress] = await once(worker, 'message');
  report(progress);
  const exited = once(worker, 'exit');
  if (ending === 'terminate') worker.terminate();
  else worker.postMessage('end');
  const [code] = await exited;
  return code;
}

function rethrow(error) {
  throw error;
}

/** Names that are there more often than before. */
function surplus(now, before) {
  const known = [...before];
  return now.filter((name) => {
    const at = known.indexOf(name);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}
