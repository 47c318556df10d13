/** A worker_thread that lends memory to tasks, and says so when they read it. */
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { lend, make } from './lend.mjs';

const { kind, cost, memory } = workerData;
const isRead = lend(memory ? new Uint8Array(memory) : await make(kind), cost);
while (!isRead()) await setImmediate();
parentPort.postMessage('lent');
