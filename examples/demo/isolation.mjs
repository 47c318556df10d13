// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summary } from './summary.mjs';

const host = 'localhost';
const smallFile = fileURLToPath(import.meta.url);
const askEveryMs = 10;

/** @typedef {{ seconds: number, lookup: import('./summary.mjs').Summary, readFile: import('./summary.mjs').Summary }} Isolated */

/**
 * Starts many scrypt jobs at once, then asks for one look-up and one small file every 10 ms until the last job is done.
 * It asks by the clock, as the clients of a server do, not after the last answer: else a slow pool would hide its
 * slowness by being asked less.
 *
 * @param {{ way: string, jobs: number, threads: number }} input
 * @param {import('./step.mjs').OnProgress} onProgress
 * @returns {Promise<Isolated>} latencies in ms
 */
export async function isolation({ way, jobs, threads }, onProgress) {
  const { openIsolated } = await import(`./ways/${way}.mjs`);
  const { scrypt, lookup, readFile, close } = openIsolated({ threads });
  await Promise.all([scrypt('warm-up', 'salt'), lookup(host), readFile(smallFile)]);

  let left = jobs;
  const begin = performance.now();
  const scrypts = Array.from({ length: jobs }, async (_, job) => {
    await scrypt(`password ${job}`, 'salt');
    left -= 1;
    onProgress(jobs - left);
  });
  const allDone = Promise.all(scrypts).then(() => (performance.now() - begin) / 1000);

  const lookups = [];
  const reads = [];
  while (left > 0) {
    lookups.push(latency(() => lookup(host)));
    reads.push(latency(() => readFile(smallFile)));
    await sleep(askEveryMs);
  }
  const answer = {
    seconds: await allDone,
    lookup: summary(await Promise.all(lookups)),
    readFile: summary(await Promise.all(reads)),
  };
  await close();
  return answer;
}

/** @param {() => Promise<unknown>} ask */
async function latency(ask) {
  const begin = performance.now();
  await ask();
  return performance.now() - begin;
}
