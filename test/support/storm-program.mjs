/** A storm of worker_threads, one after another, each terminated in the middle of work, and what they leave behind. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { sleep } from 'offloop/ops';
import { openDescriptors, threadNames } from './proc.mjs';
import { randomNumbers } from './random.mjs';

const PATIENCE_MS = 2000;
const MOST_DELAY_MS = 20;

const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const threads = () => threadNames().length;

/**
 * Prints a sample after every `every` workers: how many there have been, resident bytes, descriptors, threads.
 * Ends with an error when a worker does. Needs --expose-gc, so that garbage is not taken for a leak.
 */
export async function storm({ workers, every, seed }) {
  const below = randomNumbers(seed);
  while (!threadNames().includes('offloop/reactor')) await sleep(20); // it stays as long as the process does
  await terminateOne(below, 0);
  const before = threads();
  for (let i = 1; i <= workers; ++i) {
    await terminateOne(below, i);
    if (i % every === 0) await sample(i, before);
  }
}

async function terminateOne(below, i) {
  const worker = new Worker(new URL('storm-worker.mjs', import.meta.url), {
    workerData: below(2 ** 31),
    execArgv: [],
    env: { ...process.env, OFFLOOP_DOORBELL: i % 2 === 0 ? 'loop' : 'threadsafe' },
  });
  await once(worker, 'message');
  await pause(below(MOST_DELAY_MS * 10) / 10);
  const code = await worker.terminate();
  if (code !== 1) throw new Error(`worker ${i} ended with code ${code}`);
}

async function sample(worker, threadsBefore) {
  const end = Date.now() + PATIENCE_MS; // threads of pools go home on their own
  while (threads() > threadsBefore && Date.now() < end) await pause(1);
  globalThis.gc();
  const descriptors = openDescriptors().length;
  console.log(JSON.stringify({ worker, rss: process.memoryUsage.rss(), descriptors, threads: threads() }));
}
