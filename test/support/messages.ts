/** What queues carry in tests. */
import type { Message, Queue } from '../../lib/primitives.js';

/** What is in the queue, received one after the other. */
export async function drain(queue: Queue): Promise<Message[]> {
  queue.close();
  const values: Message[] = [];
  for await (const value of queue) values.push(value);
  return values;
}

/** Does something while it is read. */
export function tupleThat(does: () => void): Message {
  const tuple = [1, 2];
  Object.defineProperty(tuple, 0, {
    get() {
      does();
      return 1;
    },
  });
  return tuple;
}
