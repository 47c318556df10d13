/** Tasks as tools that watch a process see them: channels of node:diagnostics_channel. */
import { channel } from 'node:diagnostics_channel';
import type { How, Listener } from './ticket.js';

const submitted = channel('offloop:task:submit');
const started = channel('offloop:task:start');
const settled = channel('offloop:task:settle');

/**
 * What the channels `offloop:task:submit`, `offloop:task:start` and `offloop:task:settle` publish: one object for each
 * task, the same on all three, so that subscribers can keep what belongs together in a WeakMap. Published on the event
 * loop, synchronously; `start` when the loop hears of it, and not for a task that settles without having begun.
 */
export interface TaskEvent {
  /** The task's name, and its pool's. */
  readonly task: string;
  readonly pool: string;
  /** 0 (first) to 255 (last). */
  readonly priority: number;
  /** From `settle` on. */
  status?: 'fulfilled' | How;
  /** From `settle` on, of a task that did not succeed. */
  error?: unknown;
  /**
   * From `settle` on, in nanoseconds: in the queue, on a thread, and of processor time. Where the promise was rejected
   * before the task came back, from then on.
   */
  queuedNs?: number;
  runNs?: number;
  cpuNs?: number;
}

/** Whether anybody subscribes: nothing else is done for a task while nobody does. */
export function isTraced(): boolean {
  return traced;
}

let traced = false;

/**
 * Asking three channels for each task costs it 10 ns, and Node tells nobody that a channel was subscribed to. So these
 * keep a flag, in methods of their own around those of their class, which Node swaps when the first subscriber comes.
 */
for (const each of [submitted, started, settled]) {
  for (const method of ['subscribe', 'unsubscribe', 'bindStore', 'unbindStore'] as const) {
    const another = Object.getOwnPropertyDescriptor(each, method)?.value; // copy of offloop was here before
    Object.defineProperty(each, method, {
      configurable: true,
      value(this: typeof each, ...args: unknown[]): unknown {
        const result = Reflect.apply(another ?? Object.getPrototypeOf(this)[method], this, args);
        lookForSubscribers();
        return result;
      },
    });
  }
}
lookForSubscribers(); // some may have been there before

function lookForSubscribers(): void {
  traced = submitted.hasSubscribers || started.hasSubscribers || settled.hasSubscribers;
}

/** Publishes what becomes of one task, and first that it is submitted. */
export function trace(task: string, pool: string, priority: number): Listener {
  const event: TaskEvent = { task, pool, priority };
  submitted.publish(event);
  return {
    started: () => started.publish(event),
    took: (queuedNs, runNs, cpuNs) => Object.assign(event, { queuedNs, runNs, cpuNs }),
    settled(error, status) {
      event.status = status;
      if (status !== 'fulfilled') event.error = error;
      settled.publish(event);
    },
  };
}
