// @ts-check
import { fileURLToPath } from 'node:url';
import { percentiles } from '../measure/stats.mjs';

const scryptJobs = 64;
const beatMs = 2;
const file = fileURLToPath(import.meta.url);

/** @type {import('../types.d.ts').Case} */
export const isolation = {
  name: 'isolation',
  title: `Look-ups and file reads, one of each every ${beatMs} ms, while ${scryptJobs} scrypt jobs run`,
  drivers: ['offloop-two-pools', 'node-pool'],
  columns: [
    { metric: 'lookup_p99_ms', head: 'lookup p99 ms', digits: 2 },
    { metric: 'lookup_p50_ms', head: 'lookup p50 ms', digits: 2 },
    { metric: 'read_p99_ms', head: 'readFile p99 ms', digits: 2 },
    { metric: 'read_p50_ms', head: 'readFile p50 ms', digits: 2 },
    { metric: 'scrypt_s', head: '64 scrypt jobs s', digits: 2 },
  ],
  baselines: ['node-pool'],
  quick: true,
  async measure(driver) {
    const session = await driver.open();
    await Promise.all([session.scrypt(), session.lookup('localhost'), session.readFile(file)]);

    const lookups = [];
    const reads = [];
    const pending = [];
    const start = performance.now();
    const jobs = Promise.all(Array.from({ length: scryptJobs }, session.scrypt));
    // Started on a clock and not when the one before has settled: a stall must not hide the calls it would have met.
    const beat = setInterval(() => {
      pending.push(timed(session.lookup('localhost'), lookups), timed(session.readFile(file), reads));
    }, beatMs);
    await jobs;
    const scryptMs = performance.now() - start;
    clearInterval(beat);
    await Promise.all(pending);
    await session.close?.();

    const [lookupP50, lookupP99] = percentiles(lookups, [0.5, 0.99]);
    const [readP50, readP99] = percentiles(reads, [0.5, 0.99]);
    return {
      lookup_p99_ms: lookupP99,
      lookup_p50_ms: lookupP50,
      read_p99_ms: readP99,
      read_p50_ms: readP50,
      scrypt_s: scryptMs / 1000,
    };
  },
};

/**
 * @param {Promise<unknown>} call
 * @param {number[]} latencies
 */
async function timed(call, latencies) {
  const start = performance.now();
  await call;
  latencies.push(performance.now() - start);
}
