/** What comes back: the words of a completion, as values, errors and news. The layout is native/addon/layout.hpp's. */
import { Buffer } from 'node:buffer'; // the global is a getter: 100 ns for each look
import { cutError, failureError, statusError } from './errors.js';
import {
  COMPLETION_WORDS,
  FIGURES_PER_COMPLETION,
  NEWS_CUT,
  NEWS_PROGRESS,
  NEWS_STARTED,
  OUTCOME_BIGINT,
  OUTCOME_BYTES,
  OUTCOME_FAILURE,
  OUTCOME_FALSE,
  OUTCOME_NULL,
  OUTCOME_NUMBER,
  OUTCOME_TRUE,
  OUTCOME_UNDEFINED,
} from './layout.js';
import { anyDetached } from './memory.js';
import { type NativeFailure, native, type Rings } from './native.js';
import type { Ticket } from './ticket.js';

let words: Int32Array;
let floats: Float64Array;
let integers: BigInt64Array;
let figures: Float64Array;
let results: Uint8Array;

/** Where completions stand. Once, before the first comes. */
export function readFrom(rings: Rings): void {
  words = new Int32Array(rings.completions);
  floats = new Float64Array(rings.completions);
  integers = new BigInt64Array(rings.completions);
  figures = new Float64Array(rings.figures);
  results = new Uint8Array(rings.results);
}

/** Settles the promise of a task that has come home, if that has not been done before. */
export function settleTicket(ticket: Ticket, outcome: number, index: number, objects: unknown[] | undefined): void {
  const at = index * COMPLETION_WORDS;
  const { decode, held, listeners } = ticket;
  if (listeners.length > 0) {
    const [queuedNs, runNs, cpuNs] = figuresAt(index);
    for (const listener of listeners) listener.took?.(queuedNs, runNs, cpuNs);
  }
  ticket.home();
  if (ticket.resolve === undefined) return; // was told before: cancelled, or cut by a limit
  if (held !== undefined && anyDetached(held) && hasRun(outcome, at, objects)) {
    // Whatever it read, it may have been somebody else's by then.
    ticket.fail(statusError('DETACHED', ticket.task), 'rejected');
    return;
  }
  if (outcome === OUTCOME_FAILURE) {
    const failure = objects?.[words[at + 2] as number] as NativeFailure;
    const wasCancelled = native.statuses[failure.status]?.[0] === 'CANCELLED';
    ticket.fail(failureError(failure), wasCancelled ? 'cancelled' : 'rejected');
    return;
  }
  const value = valueAt(outcome, at, objects);
  try {
    ticket.fulfil(decode === undefined ? value : decode(value as never));
  } catch (error) {
    ticket.fail(error, 'rejected'); // the rest of the batch must still settle
  }
}

/** Hands on what a task that goes on has to tell. */
export function tellNews(ticket: Ticket, index: number): void {
  const at = index * COMPLETION_WORDS;
  const news = words[at + 2] as number;
  const { listeners } = ticket;
  if (listeners.length > 0 && ticket.resolve !== undefined) {
    const [done, total] = figuresAt(index);
    for (const listener of listeners) {
      if (news & NEWS_STARTED) listener.started?.();
      if (news & NEWS_PROGRESS) listener.progressed?.(done, total);
    }
  }
  const status = words[at + 3] as number;
  if (news & NEWS_CUT && status > 0) ticket.fail(cutError(status, ticket.task), 'rejected');
}

function figuresAt(index: number): [number, number, number] {
  const at = index * FIGURES_PER_COMPLETION;
  return [figures[at] as number, figures[at + 1] as number, figures[at + 2] as number];
}

const NEVER_RAN: ReadonlySet<unknown> = new Set([
  'QUEUE_FULL',
  'DROPPED',
  'DEADLINE',
  'CANCELLED',
  'CLOSED',
  'DETACHED',
]);

/** Whether what a task ended with can come from its inputs. */
function hasRun(outcome: number, at: number, objects: unknown[] | undefined): boolean {
  if (outcome !== OUTCOME_FAILURE) return true;
  const failure = objects?.[words[at + 2] as number] as NativeFailure;
  return !NEVER_RAN.has(native.statuses[failure.status]?.[0]);
}

export function failureAt(at: number, objects: unknown[] | undefined): Error {
  return failureError(objects?.[words[at + 2] as number] as NativeFailure);
}

/** Of any outcome but a failure or a notice. `at`: where the completion begins. */
export function valueAt(outcome: number, at: number, objects: unknown[] | undefined): unknown {
  switch (outcome) {
    case OUTCOME_BYTES: {
      const start = words[at + 2] as number;
      const length = words[at + 3] as number;
      const bytes = Buffer.allocUnsafeSlow(length); // memory of its own: whoever gets it may transfer it
      bytes.set(results.subarray(start, start + length));
      return bytes;
    }
    case OUTCOME_NUMBER:
      return floats[(at + 2) >> 1];
    case OUTCOME_TRUE:
      return true;
    case OUTCOME_FALSE:
      return false;
    case OUTCOME_NULL:
      return null;
    case OUTCOME_BIGINT:
      return integers[(at + 2) >> 1];
    case OUTCOME_UNDEFINED:
      return undefined;
    default:
      return objects?.[words[at + 2] as number];
  }
}
