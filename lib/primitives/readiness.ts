/**
 * Waiting in the native reactor: the one place that begins, takes and ends waits of this thread.
 *
 * A wait is known by a number. What has come is collected natively, and taken here in batches when its signal arrives.
 */
import { type OffloopError, systemError } from '../errors.js';
import { native } from '../native.js';
import { beginWait, endWait, takeWaits, waitAgain, waitsSignal } from '../ring.js';
import * as signals from '../signals.js';

/** What has come, and what is asked for: bits, as native/core/waits.hpp has them. */
export const READABLE = 1;
export const WRITABLE = 2;
export const HUNG_UP = 4;
export const TIME_IS_UP = 8;

/** What a descriptor is ready for. */
export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
  /** It is broken, or its other end is gone: the next read or write tells. */
  readonly hungUp: boolean;
}

export function toReadiness(what: number): Readiness {
  return {
    readable: (what & READABLE) !== 0,
    writable: (what & WRITABLE) !== 0,
    hungUp: (what & HUNG_UP) !== 0,
  };
}

/** How long a wait lasts. */
export const ONCE = 0; // over when it has been told
export const AGAIN = 1; // told once, then silent until `again`
export const EDGE = 2; // told each time its descriptor becomes ready

/** Whether this system has edges. They save asking again. */
export const hasEdges = native.poller === 'epoll' || native.poller === 'kqueue';

/** Is told what has come. It must not begin or end waits before it returns. */
type Tell = (what: number) => void;

/** A batch: of each event, the number of the wait and what has come. */
const events = new Uint32Array(2 * 512);
const eventBytes = new Uint8Array(events.buffer);

interface Wait {
  readonly kind: number;
  readonly tell: Tell;
}
const waits = new Map<number, Wait>();

/** Promises that wait. */
let awaiting = 0;
let signal = 0;

/** What asks the system to watch a descriptor, for its errors. */
const SYSCALLS: Readonly<Record<string, string>> = {
  epoll: 'epoll_ctl',
  kqueue: 'kevent',
  poll: 'poll',
  iocp: 'CreateIoCompletionPort',
};

function failure(answer: number): OffloopError {
  const error = systemError(answer, SYSCALLS[native.poller] ?? native.poller);
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EPERM') return error;
  error.message += ': it is always ready, as files are';
  return error;
}

/**
 * Begins a wait for a descriptor (-1: none), for some milliseconds to pass (Infinity: never), or for whichever comes first.
 * @returns its number
 * @throws OffloopError
 */
export function begin(fd: number, interest: number, kind: number, ms: number, tell: Tell): number {
  const number = beginWait(fd, interest, kind, ms);
  if (number < 0) throw failure(number);
  waits.set(number, { kind, tell });
  return number;
}

/** Of a wait of the kind AGAIN, when it has been told. @throws OffloopError */
export function again(number: number, interest: number): void {
  const answer = waitAgain(number, interest);
  if (answer < 0) throw failure(answer);
}

/** Nothing is told any more. Without effect on a wait of the kind ONCE that has been told. */
export function end(number: number): void {
  if (waits.delete(number)) endWait(number);
}

/** A promise waits for what is told: the process stays alive for it. What has come already may be told at once. */
export function hold(): void {
  signal ||= waitsSignal();
  if (++awaiting > 1) return;
  signals.wait(signal, look);
  look(); // at what came while nobody listened
}

/** The opposite. */
export function release(): void {
  if (--awaiting === 0) signals.unwait(signal);
}

/** Tells a batch of what has come; if there is more, the signal follows. */
function look(): void {
  const count = takeWaits(eventBytes);
  for (let i = 0; i < count; ++i) {
    const number = events[2 * i] as number;
    const { kind, tell } = waits.get(number) as Wait;
    if (kind === ONCE) waits.delete(number);
    tell(events[2 * i + 1] as number);
  }
}
