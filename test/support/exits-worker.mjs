/** A worker_thread that is in a state, and ends as it is told. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { enter } from './states.mjs';

const progress = await enter(workerData.state, workerData.ms);
parentPort.postMessage(progress());
await once(parentPort, 'message');
process.exit(5);
