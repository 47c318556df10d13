/**
 * The rings: tasks leave in batches and come back in batches, and a promise is made here, in JavaScript.
 *
 * State of one environment, so it is the module's own: every worker_thread loads its own copy. The functions below run
 * for every task, so they keep to plain numbers and arrays.
 */
import { Buffer } from 'node:buffer'; // the global is a getter: 100 ns for each look
import { CellWriter, type InputMode, type SavedCells } from './cells.js';
import { failureError, statusError } from './errors.js';
import {
  ARENA_BYTES,
  CELL_WORDS,
  COMPLETION_WORDS,
  GENERATIONS,
  HEADER_WORDS,
  OUTCOME_BIGINT,
  OUTCOME_BYTES,
  OUTCOME_FAILURE,
  OUTCOME_FALSE,
  OUTCOME_NULL,
  OUTCOME_NUMBER,
  OUTCOME_TRUE,
  OUTCOME_UNDEFINED,
  RING_WORDS,
} from './layout.js';
import { type NativeFailure, native, threadsafeDoorbell } from './native.js';
import type { Definition } from './task.js';
import { type Resolve, Ticket } from './ticket.js';

const rings = native.open(settle, threadsafeDoorbell);
const words = new Int32Array(rings.ring);
const completions = new Int32Array(rings.completions);
const completionFloats = new Float64Array(rings.completions);
const completionIntegers = new BigInt64Array(rings.completions);
const results = new Uint8Array(rings.results);
const cells = new CellWriter(rings.ring, rings.arena);

/** For each pool: accepted by native code and not yet settled. */
export const inFlight = new Int32Array(rings.inFlight);

/** Most cells a task may have; more room than that is left in the ring before a record is begun. */
const MAX_CELLS = 16;
/** Worth a flush of its own: 128 records without arguments. */
const BATCH_WORDS = 128 * HEADER_WORDS;
const RING_LIMIT = RING_WORDS - HEADER_WORDS - MAX_CELLS * CELL_WORDS;
/** A record larger than what is left of the arena is copied aside, so flush while half of it is free. */
const ARENA_LIMIT = ARENA_BYTES / 2;
/** Slots that are kept when a burst is over. */
const KEPT_SLOTS = 16 * 1024;
const FIRST_SLOTS = 1024;

/** By slot: who waits for it, and how often it has been used. */
let waiting: Array<Resolve | Ticket | undefined> = [];
let generations = new Int32Array(0);
/** A stack: the slot freed last is used first, while its task is still in the processor's cache. */
let free = new Int32Array(0);
let freeCount = 0;

let ringEnd = 0;
let arenaEnd = 0;
let attachmentCount = 0;
let flushScheduled = false;

/** Called after each batch of completions. */
const afterBatch = new Set<() => void>();

export function watchBatches(callback: () => void): void {
  afterBatch.add(callback);
}
export function unwatchBatches(callback: () => void): void {
  afterBatch.delete(callback);
}

/** Where and how a record goes; a pool has one of these. */
export interface Lane {
  /** The pool's number. */
  readonly pool: number;
  /** Below this many in flight the pool has a thread to spare, and a task goes out at once. */
  readonly threads: number;
}

/**
 * Submits a task without options: the hot path. Throws what the task's own checks throw.
 */
export function submit(
  lane: Lane,
  definition: Definition<never, unknown>,
  args: readonly unknown[],
  priority: number,
): Promise<unknown> {
  if (definition.decode !== undefined) {
    return submitTicket(lane, definition, args, priority, 'auto', new Ticket(definition.decode));
  }
  if (definition.encode === undefined) {
    if (ringEnd > RING_LIMIT) flush();
    const slot = takeSlot();
    openSlot = slot;
    const promise = new Promise<unknown>(storeResolve);
    writeHeader(definition.operation, slot, lane.pool, priority, 0, 0);
    ringEnd += HEADER_WORDS;
    launch(lane);
    resumeReading();
    return promise;
  }
  encode(definition, args, 'auto');
  if (cells.attachments.length > attachmentCount) {
    return commitTicket(lane, definition.operation, priority, new Ticket(undefined));
  }
  const slot = takeSlot();
  openSlot = slot;
  const promise = new Promise<unknown>(storeResolve);
  commit(lane, definition.operation, priority, slot);
  return promise;
}

/** Submits a task whose ticket tells how to settle it. Throws what the task's own checks throw. */
export function submitTicket(
  lane: Lane,
  definition: Definition<never, unknown>,
  args: readonly unknown[],
  priority: number,
  input: InputMode,
  ticket: Ticket,
): Promise<unknown> {
  encode(definition, args, input);
  return commitTicket(lane, definition.operation, priority, ticket);
}

/** Checks and copies a task's arguments now, so that it can be submitted when there is room. */
export function save(definition: Definition<never, unknown>, args: readonly unknown[], input: InputMode): SavedCells {
  encode(definition, args, input);
  const saved = cells.save();
  resumeReading();
  return saved;
}

/** Throws what the task's own checks throw, and leaves everything as it is. */
export function check(definition: Definition<never, unknown>, args: readonly unknown[]): void {
  encode(definition, args, 'borrow');
  resumeReading();
}

/** Submits a saved task. Its promise exists already: `ticket.resolve`. */
export function submitSaved(lane: Lane, operation: number, priority: number, saved: SavedCells, ticket: Ticket): void {
  if (arenaEnd + saved.bytes.length > ARENA_BYTES) flush();
  beginRecord('auto');
  cells.restore(saved);
  ticket.slot = takeSlot();
  ticket.held = saved.attachments;
  waiting[ticket.slot] = ticket;
  commit(lane, operation, priority, ticket.slot);
}

/** A slot for what is not a record: a pool's end. Settles as undefined. */
export function openSlotFor(start: (slot: number, generation: number) => void): Promise<unknown> {
  const slot = takeSlot();
  openSlot = slot;
  const promise = new Promise<unknown>(storeResolve);
  start(slot, generations[slot] as number);
  return promise;
}

/** Cancels a submitted task: one that waits leaves at once, one that runs is told to stop. */
export function cancel(ticket: Ticket, reason: Error): void {
  if (ticket.slot < 0) return;
  flush();
  ticket.cancelled = reason;
  rings.cancel(ticket.slot, generations[ticket.slot] as number);
}

export const { openPool, closePool, cancelAll, counts } = rings;

/** At least as many as were submitted and not flushed. */
export function unflushed(): number {
  return ringEnd / HEADER_WORDS;
}

/** Hands everything submitted so far to the pools. */
export function flush(): void {
  if (ringEnd === 0) return;
  const end = ringEnd;
  ringEnd = 0;
  arenaEnd = 0;
  attachmentCount = 0;
  rings.flush(end, cells.attachments);
  if (cells.attachments.length > 0) cells.attachments.length = 0;
  resumeReading();
}

/** For a microtask: `then` is cheaper than queueMicrotask, which makes an AsyncResource. */
const settled = Promise.resolve();

function flushAsScheduled(): void {
  flushScheduled = false;
  flush();
}

function beginRecord(input: InputMode): void {
  if (ringEnd > RING_LIMIT || arenaEnd > ARENA_LIMIT) flush();
  cells.begin(ringEnd + HEADER_WORDS, arenaEnd, attachmentCount, input);
}

/** How the task that is reading its arguments now wants them; a getter among them may submit tasks of its own, or flush. */
let reading: InputMode | undefined;

/** Whoever is still reading its arguments writes its cells behind what has been committed since. */
function resumeReading(): void {
  if (reading !== undefined) beginRecord(reading);
}

function encode(definition: Definition<never, unknown>, args: readonly unknown[], input: InputMode): void {
  beginRecord(input);
  if (definition.encode === undefined) return;
  const outer = reading;
  reading = input;
  try {
    definition.encode(args as never, cells);
    reading = outer;
  } catch (error) {
    reading = outer;
    resumeReading();
    throw error;
  }
}

function commitTicket(lane: Lane, operation: number, priority: number, ticket: Ticket): Promise<unknown> {
  if (cells.attachments.length > attachmentCount) ticket.held = cells.attachments.slice(attachmentCount);
  const slot = takeSlot();
  openSlot = slot;
  const promise = new Promise<unknown>(storeResolve);
  ticket.resolve = waiting[slot] as Resolve;
  ticket.slot = slot;
  waiting[slot] = ticket;
  commit(lane, operation, priority, slot);
  return promise;
}

function commit(lane: Lane, operation: number, priority: number, slot: number): void {
  const { count, arenaEnd: end } = cells;
  writeHeader(operation, slot, lane.pool, priority, count, end - arenaEnd);
  ringEnd += HEADER_WORDS + count * CELL_WORDS;
  arenaEnd = end;
  attachmentCount = cells.attachments.length;
  launch(lane);
  resumeReading();
}

function writeHeader(
  operation: number,
  slot: number,
  pool: number,
  priority: number,
  cellCount: number,
  arenaBytes: number,
): void {
  const at = ringEnd;
  words[at] = operation | (cellCount << 16);
  words[at + 1] = slot;
  words[at + 2] = (generations[slot] as number) | (priority << 24);
  words[at + 3] = pool | ((arenaBytes >> 3) << 16);
}

/**
 * A thread is free: begin now, in case the caller goes on to block this one. So much has come together that threads can
 * work on it while more comes: hand it over. Else wait for more.
 */
function launch(lane: Lane): void {
  if ((inFlight[lane.pool] as number) < lane.threads || ringEnd >= BATCH_WORDS) flush();
  else if (!flushScheduled) {
    flushScheduled = true;
    settled.then(flushAsScheduled);
  }
}

let openSlot = 0;
/** One executor for every promise: a closure for each would cost an allocation. */
function storeResolve(resolve: Resolve): void {
  waiting[openSlot] = resolve;
}

function takeSlot(): number {
  if (freeCount === 0) grow();
  return free[--freeCount] as number;
}

function grow(): void {
  const before = waiting.length;
  const after = Math.max(FIRST_SLOTS, before * 2);
  if (!rings.reserve(after)) throw statusError('NO_MEMORY');
  const grownGenerations = new Int32Array(after);
  grownGenerations.set(generations);
  generations = grownGenerations;
  free = new Int32Array(after);
  for (let slot = after - 1; slot >= before; --slot) free[freeCount++] = slot;
  for (let slot = before; slot < after; ++slot) waiting.push(undefined);
}

/** A burst is over and nothing is in flight: gives its memory back. */
function shrink(): void {
  waiting = waiting.slice(0, KEPT_SLOTS);
  generations = generations.slice(0, KEPT_SLOTS);
  free = new Int32Array(KEPT_SLOTS);
  freeCount = 0;
  for (let slot = KEPT_SLOTS - 1; slot >= 0; --slot) free[freeCount++] = slot;
  rings.trim(KEPT_SLOTS);
}

/** Settles a batch: native code's one call. */
function settle(count: number, objects?: unknown[]): void {
  for (let i = 0; i < count; ++i) {
    const at = i * COMPLETION_WORDS;
    const slot = completions[at] as number;
    const tag = completions[at + 1] as number;
    const generation = generations[slot] as number;
    if (tag >>> 8 !== generation) continue; // never another task's
    const waiter = waiting[slot] as Resolve | Ticket;
    waiting[slot] = undefined;
    generations[slot] = (generation + 1) & (GENERATIONS - 1);
    free[freeCount++] = slot;
    const outcome = tag & 0xff;
    if (typeof waiter === 'function') {
      if (outcome === OUTCOME_UNDEFINED) waiter(undefined);
      else if (outcome === OUTCOME_FAILURE) waiter(Promise.reject(failureAt(at, objects)));
      else waiter(valueAt(outcome, at, objects));
    } else {
      settleTicket(waiter, outcome, at, objects);
    }
  }
  if (afterBatch.size > 0) for (const callback of afterBatch) callback();
  if (freeCount === waiting.length && freeCount > KEPT_SLOTS) shrink();
}

function settleTicket(ticket: Ticket, outcome: number, at: number, objects: unknown[] | undefined): void {
  const { resolve, decode } = ticket;
  ticket.slot = -1;
  ticket.held = undefined;
  ticket.onSettle?.();
  if (resolve === undefined) return;
  if (outcome === OUTCOME_FAILURE) {
    const failure = objects?.[completions[at + 2] as number] as NativeFailure;
    const wasCancelled = native.statuses[failure.status]?.[0] === 'CANCELLED';
    resolve(Promise.reject(wasCancelled && ticket.cancelled ? ticket.cancelled : failureError(failure)));
    return;
  }
  const value = valueAt(outcome, at, objects);
  try {
    resolve(decode === undefined ? value : decode(value as never));
  } catch (error) {
    resolve(Promise.reject(error)); // the rest of the batch must still settle
  }
}

function failureAt(at: number, objects: unknown[] | undefined): Error {
  return failureError(objects?.[completions[at + 2] as number] as NativeFailure);
}

function valueAt(outcome: number, at: number, objects: unknown[] | undefined): unknown {
  switch (outcome) {
    case OUTCOME_BYTES: {
      const start = completions[at + 2] as number;
      const length = completions[at + 3] as number;
      const bytes = Buffer.allocUnsafeSlow(length); // memory of its own: whoever gets it may transfer it
      bytes.set(results.subarray(start, start + length));
      return bytes;
    }
    case OUTCOME_NUMBER:
      return completionFloats[(at + 2) >> 1];
    case OUTCOME_TRUE:
      return true;
    case OUTCOME_FALSE:
      return false;
    case OUTCOME_NULL:
      return null;
    case OUTCOME_BIGINT:
      return completionIntegers[(at + 2) >> 1];
    case OUTCOME_UNDEFINED:
      return undefined;
    default:
      return objects?.[completions[at + 2] as number];
  }
}
