// @ts-check
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Messages between two threads, by two queues. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'offloop-queue',
  label: 'offloop Queue',
  group: 'offloop',
  async open() {
    const { Queue } = await import('offloop/primitives');
    const numbers = new Queue({ capacity: 16_384 });
    const back = new Queue({ capacity: 64 });
    const workerData = { way: 'queue', handles: [numbers.handle, back.handle] };
    const worker = new Worker(new URL('queue-body.mjs', import.meta.url), { workerData });
    const [handle] = await once(worker, 'message');
    const there = Queue.from(handle);
    let flooding = false;
    return {
      async flood(count) {
        if (!flooding) worker.postMessage('flood');
        flooding = true;
        let left = count;
        for await (const _ of numbers) {
          left -= 1;
          if (left === 0) break;
        }
      },
      echo() {
        there.send(1);
        return back.receive();
      },
      close: () => worker.terminate(),
    };
  },
};
