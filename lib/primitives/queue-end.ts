/** The end of a queue that a thread holds: one, however many Queue objects it has for it. */
import { randomUUID } from 'node:crypto';
import { OVERFLOWS } from '../options.js';
import { open, queues } from './outgoing.js';
import { Receiver } from './queue-receiver.js';
import { Sender } from './queue-sender.js';

type Overflow = (typeof OVERFLOWS)[number];

/** By the id of its queue. */
const ends = new Map<string, WeakRef<QueueEnd>>();
/** Ends that nobody holds any more: their numbers are free again. */
const released = new FinalizationRegistry<Name>((name) => {
  if (ends.get(name.id)?.deref() === undefined) ends.delete(name.id);
  queues.release(name.number);
});

/** How an end is known: to native code, and to other threads ('': not yet). */
interface Name {
  readonly number: number;
  id: string;
}

export class QueueEnd {
  /** In native code. */
  readonly number: number;
  readonly sender: Sender;
  /** undefined: the queue was made in another thread. */
  readonly receiver: Receiver | undefined;
  readonly #name: Name;

  constructor(name: Name, capacity: number, overflow: Overflow, madeHere: boolean) {
    this.#name = name;
    this.number = name.number;
    this.receiver = madeHere ? new Receiver(this, capacity, overflow.startsWith('drop')) : undefined;
    this.sender = new Sender(this, overflow);
    released.register(this, name);
  }

  /** By which other threads join the queue; it cannot be guessed. */
  get id(): string {
    const name = this.#name;
    if (name.id === '') {
      name.id = queues.publish(name.number, randomUUID());
      ends.set(name.id, new WeakRef(this));
    }
    return name.id;
  }
}

/** Makes a queue. */
export function openEnd(capacity: number, overflow: Overflow): QueueEnd {
  open();
  return new QueueEnd({ number: queues.open(capacity, OVERFLOWS.indexOf(overflow)), id: '' }, capacity, overflow, true);
}

/** undefined: there is no such queue any more. */
export function joinEnd(id: string): QueueEnd | undefined {
  open();
  const known = ends.get(id)?.deref();
  if (known !== undefined) return known;
  const number = queues.join(id);
  if (number < 0) return undefined;
  const { capacity, overflow } = queues.counts(number);
  const end = new QueueEnd({ number, id }, capacity, OVERFLOWS[overflow] as Overflow, false);
  ends.set(id, new WeakRef(end));
  return end;
}
