// @ts-check
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** How many messages may be on their way, so that memory does not decide, and after how many the sender hears of it. */
const window = 16_384;
const step = 4_096;

/** Messages between two threads, by what Node has for it. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'message-port',
  label: 'MessagePort',
  group: 'node',
  async open() {
    const workerData = { way: 'port', window, step };
    const worker = new Worker(new URL('queue-body.mjs', import.meta.url), { workerData });
    await once(worker, 'message');
    let left = 0;
    let received = 0;
    let flooding = false;
    /** @type {(value?: unknown) => void} */
    let done = () => {};
    worker.on('message', () => {
      if (flooding) {
        received += 1;
        if (received % step === 0) worker.postMessage('taken');
        left -= 1;
        if (left === 0) done();
      } else {
        done();
      }
    });
    return {
      flood(count) {
        left = count;
        if (!flooding) worker.postMessage('flood');
        flooding = true;
        return new Promise((resolve) => {
          done = resolve;
        });
      },
      echo() {
        const answered = new Promise((resolve) => {
          done = resolve;
        });
        worker.postMessage(1);
        return answered;
      },
      close: () => worker.terminate(),
    };
  },
};
