// @ts-check
// The other thread of the drivers of messages: sends numbers without end, or sends back what it gets.
import { parentPort, workerData } from 'node:worker_threads';

const { way, handles, window, step } = workerData;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

if (way === 'queue') {
  const { Queue } = await import('offloop/primitives');
  const [numbers, back] = handles.map((handle) => Queue.from(handle));
  const inbox = new Queue({ capacity: 64 });
  port.postMessage(inbox.handle);
  (async () => {
    for await (const value of inbox) await back.send(value);
  })();
  port.once('message', async () => {
    for (let i = 0; ; i += 1) await numbers.send(i);
  });
} else {
  let sent = 0;
  let taken = 0;
  let flooding = false;
  /** As many as may be on their way; the receiver tells after each step how many it has taken. */
  const flood = () => {
    while (sent - taken < window) port.postMessage(sent++);
  };
  port.on('message', (message) => {
    if (message === 'flood') flooding = true;
    else if (flooding) taken += step;
    else port.postMessage(message);
    if (flooding) flood();
  });
  port.postMessage('ready');
}
