/**
 * Messages on their way into queues: written here, and handed over many at a time.
 *
 * State of one environment, so it is the module's own. There is one stretch of memory for all queues: whoever sends to
 * another queue hands over what is there first. The functions run for every message, so they keep to plain numbers.
 */
import { nextTick } from 'node:process';
import { statusError } from '../errors.js';
import { ROOM_AWAITED } from '../layout.js';
import type { Queues } from '../native.js';
import { rings } from '../ring.js';
import { Slice, turn } from '../slice.js';
import { type Message, MessageReader, MessageWriter } from './messages.js';

/** How many messages room is asked for, and how many words are worth handing over. */
const WANTED = 256;
const BATCH_WORDS = 1024;

export let queues: Queues;
export let reader: MessageReader;
let writer: MessageWriter;

/** The queue that the messages are for, and room that it has promised for more. */
let current = -1;
let promised = 0;
let count = 0;
/** The receiver sleeps: what is sent now is handed over at once, so that it begins. */
let awaited = false;
let flushScheduled = false;
/** Of whoever sends, and always finds room. */
let slice = new Slice();
/** It is up: what is accepted is told when the loop has turned. */
export let late: Promise<void> | undefined;

/** What became of a message that was to be put in: else it has been. */
export const FULL = 0;
export const CLOSED = -1;

/** Makes this environment ready for queues. */
export function open(): void {
  if (queues !== undefined) return;
  queues = rings.queues();
  writer = new MessageWriter(queues.outgoing);
  reader = new MessageReader(queues.incoming);
  process.on('exit', flush); // what was accepted leaves, even if the thread ends itself
}

/** Puts a message in that `checkMessage` has returned, if there is room. */
export function put(queue: number, message: Message): number {
  if (queue !== current) {
    flush();
    current = queue;
  }
  if (promised === 0) {
    const room = askForRoom();
    if (room <= 0) return room;
  }
  writer.write(message);
  --promised;
  ++count;
  if (awaited || writer.end >= BATCH_WORDS || writer.attachments.length > 0) flush();
  if (!flushScheduled) {
    flushScheduled = true;
    // Not as a microtask: whoever awaits one message after the other would hand them over one by one.
    nextTick(flushAsScheduled);
  }
  return 1;
}

/** Gives the last message back that was lent. To be called after `flush`. */
export function giveBack(queue: number, message: Message): void {
  writer.write(message);
  const { end, attachments } = writer;
  const taken = queues.takeBack(queue, end, attachments.length > 0 ? attachments : undefined);
  writer.clear();
  if (!taken) throw statusError('NO_MEMORY');
}

/** Hands over what has been written, and gives back the room that is left. */
export function flush(): void {
  if (count === 0 && promised === 0) return;
  handOver(0);
  current = -1;
}

function flushAsScheduled(): void {
  flushScheduled = false;
  slice = new Slice(); // whoever sends has waited for something
  flush();
}

function askForRoom(): number {
  if (late === undefined && slice.isUp()) late = turn().then(forgetLate);
  const room = count > 0 ? handOver(WANTED) : queues.reserve(current, WANTED);
  if (room <= 0) return room;
  awaited = (room & ROOM_AWAITED) !== 0;
  promised = room & (ROOM_AWAITED - 1);
  return promised;
}

function forgetLate(): void {
  late = undefined;
}

function handOver(wanted: number): number {
  const { end, attachments } = writer;
  const written = count;
  count = 0;
  promised = 0;
  const room = queues.commit(current, end, written, wanted, attachments.length > 0 ? attachments : undefined);
  writer.clear();
  if (room === -2) throw statusError('NO_MEMORY');
  return room;
}
