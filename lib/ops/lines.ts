import { checkInteger } from '../check.js';
import { defineTask } from '../define-task.js';
import { lendToTask, type Queue } from '../primitives/queue.js';

/**
 * Sends each line of a descriptor to a queue: what `lines` has a Worker do. Results in how many there were.
 *
 * @param descriptor - stays open
 * @param longest - bytes of a line, 1 to 2³⁰; a longer one fails the task
 * @param raw - lines are sent as bytes
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 * @rejects ERR_OFFLOOP_SYSTEM, ERR_OFFLOOP_TASK_FAILED; and as every run: see Pool.run
 * @example const worker = Worker.spawn(readLines, [0, 65_536, false]); for await (const line of worker.outbox) use(line);
 */
export const readLines = defineTask<
  [descriptor: number, longest: number, raw: boolean, inbox: Queue, outbox: Queue],
  number
>({
  name: 'readLines',
  arity: 5,
  channels: true,
  encode([descriptor, longest, raw, inbox, outbox], cells) {
    checkInteger('descriptor', descriptor, 0, 2 ** 31 - 1);
    checkInteger('longest', longest, 1, 2 ** 30);
    const numbers = [lendToTask('inbox', inbox), lendToTask('outbox', outbox)] as const;
    cells.number(descriptor);
    cells.number(longest);
    cells.boolean(Boolean(raw));
    cells.queue(numbers[0], inbox);
    cells.queue(numbers[1], outbox);
  },
});
