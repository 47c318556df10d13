/** A worker_thread that has 64 tasks of all kinds in flight, until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'offloop';
import { hash, noop, readFile, sleep, spin } from 'offloop/ops';
import { randomNumbers } from './random.mjs';

const below = randomNumbers(workerData);
const block = new Uint8Array(1 << 20); // borrowed
const pool = new Pool({ name: 'storm', threads: 2 });
const kinds = [
  () => pool.run(noop),
  () => pool.run(hash, ['sha256', 'a short text']),
  () => pool.run(hash, ['md5', block]),
  () => sleep(below(10)), // on the default pool
  () => pool.run(spin, [below(10) / 10]),
  () => readFile('package.json'),
];

for (let i = 0; i < 64; ++i) keepOneInFlight();
parentPort.postMessage('working');

async function keepOneInFlight() {
  for (;;) await kinds[below(kinds.length)]();
}
