/** Ledgers in several environments at once: the main thread and worker_threads, which run this same file. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as pools from 'offloop';
import * as operations from 'offloop/ops';
import { keepLedger } from './ledger.mjs';

const offloop = { ...pools, ...operations };

/**
 * Prints every second how many have settled, and at the end the balance of each environment. The main thread has half of
 * the tasks; at most 20,000 are in flight in all environments together.
 */
export async function keepLedgers({ tasks, workers, seed }) {
  const settled = new Int32Array(new SharedArrayBuffer(4 * (workers + 1)));
  const began = Date.now();
  const report = () => {
    const sum = settled.reduce((total, each) => total + each, 0);
    console.log(JSON.stringify({ settled: sum, seconds: (Date.now() - began) / 1000 }));
  };
  const timer = setInterval(report, 1000);
  const mostInFlight = Math.floor(20_000 / (workers + 1));
  const share = workers === 0 ? 0 : Math.floor(tasks / 2 / workers);
  const others = Array.from({ length: workers }, async (_, i) => {
    const part = { tasks: share, seed: seed + 1 + i, mostInFlight, settled, at: 1 + i };
    const worker = new Worker(new URL(import.meta.url), { workerData: part, execArgv: [] });
    const exited = once(worker, 'exit');
    const [balance] = await once(worker, 'message');
    const [code] = await exited;
    if (code !== 0) throw new Error(`worker ${i} ended with code ${code}`);
    return balance;
  });
  const own = keepPart({ tasks: tasks - workers * share, seed, mostInFlight, settled, at: 0 });
  const balances = await Promise.all([own, ...others]);
  clearInterval(timer);
  report();
  console.log(JSON.stringify({ balances }));
}

function keepPart({ tasks, seed, mostInFlight, settled, at }) {
  return keepLedger({
    offloop,
    tasks,
    seed,
    mostInFlight,
    onSettled: (count) => {
      settled[at] = count;
    },
  });
}

if (!isMainThread && workerData?.settled) parentPort.postMessage(await keepPart(workerData));
