import { checkInteger } from '../check.js';
import { defineTask } from '../define-task.js';
import { lendToTask, type Queue, type SendingQueue } from '../primitives/queue.js';

/** As many numbers as can be told apart. */
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * Sends the numbers from 0 to count − 1: for tests and benches of queues. It holds its thread while the queue is full.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 * @rejects ERR_OFFLOOP_CLOSED, ERR_OFFLOOP_QUEUE_FULL and ERR_OFFLOOP_DROPPED by the queue's policy; and as every run: see
 *   Pool.run
 * @example
 * const done = produce(queue, 1000);
 * for await (const number of queue) if (number === 999) break;
 */
export const produce = defineTask<[to: SendingQueue<number>, count: number], undefined>({
  name: 'produce',
  arity: 2,
  encode([to, count], cells) {
    checkInteger('count', count, 0, MOST);
    cells.queue(lendToTask('to', to), to);
    cells.number(count);
  },
});

/**
 * Sends on what it receives, until the first queue is closed: for tests and benches, and as an echo in a Worker. It holds
 * its thread all the while. Results in how many messages there were.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE
 * @rejects as `produce`; ERR_OFFLOOP_UNSUPPORTED where somebody else receives
 * @example const worker = Worker.spawn(relay, []); worker.inbox.send(1); await worker.outbox.receive();
 */
export const relay = defineTask<[from: Queue, to: Queue], number>({
  name: 'relay',
  arity: 2,
  channels: true,
  encode([from, to], cells) {
    const numbers = [lendToTask('from', from), lendToTask('to', to)] as const;
    cells.queue(numbers[0], from);
    cells.queue(numbers[1], to);
  },
});
