/** A worker_thread that sends and receives without end: to a queue of its creator, and through a task of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { relay } from 'offloop/ops';
import { Queue } from 'offloop/primitives';

const own = new Queue({ capacity: 4 });
relay(own, new Queue({ capacity: 1 })).catch(() => {});
(async () => {
  for (;;) await own.send([1, 'x'.repeat(5000)]);
})();
parentPort.postMessage('begun');
const theirs = Queue.from(workerData);
for (let i = 0; ; ++i) await theirs.send(i);
