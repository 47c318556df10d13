/** A worker_thread that works, and ends as its creator asks. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'offloop';
import { hash } from 'offloop/ops';
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
  case 'call': {
    const pool = new Pool({ threads: 1, capacity: 10 });
    parentPort.postMessage('working');
    for (let i = 0; ; ++i) {
      pool.stats();
      pool.run(hash, ['md5', 'text']).catch(() => {});
      if (i < 4000) new Pool().close();
    }
  }
}
