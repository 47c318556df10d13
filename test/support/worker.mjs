/** A worker_thread that works, and ends as its creator asks. */
import { parentPort, workerData } from 'node:worker_threads';
import { workForever, workToTheEnd } from './work.mjs';

switch (workerData) {
  case 'finish':
    parentPort.postMessage((await workToTheEnd()).length);
    break;
  case 'wait':
    await workForever();
    parentPort.postMessage('working');
    break;
  case 'exit':
    await workForever();
    process.exit(5);
    break;
  case 'throw':
    await workForever();
    throw new Error('on purpose');
}
