/** A worker_thread that works on a share in Node's pool, and ends as its creator asks. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'offloop';
import { noop } from 'offloop/ops';
import { workForever, workToTheEnd } from './node-work.mjs';

const { ending, ms } = workerData;
if (ending === 'finish') {
  parentPort.postMessage((await workToTheEnd()).length);
} else if (ending === 'queue') {
  parentPort.postMessage('ready');
  await once(parentPort, 'message');
  const pool = Pool.node();
  for (let i = 0; i < 100; ++i) pool.run(noop);
  parentPort.postMessage(pool.stats().queued);
} else {
  await workForever(ms);
  if (ending === 'exit') process.exit(5);
  if (ending === 'throw') throw new Error('on purpose');
  parentPort.postMessage('working');
}
