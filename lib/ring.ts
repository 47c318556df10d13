/**
 * The rings: tasks leave in batches and come back in batches, and a promise is made here, in JavaScript.
 *
 * State of one environment, so it is the module's own: every worker_thread loads its own copy. The functions below run
 * for every task, so they keep to plain numbers and arrays.
 */
import { performance } from 'node:perf_hooks';
import { CellWriter, type InputMode } from './cells.js';
import { failureAt, readFrom, settleTicket, tellNews, valueAt } from './completions.js';
import { statusError } from './errors.js';
import {
  ARENA_BYTES,
  CELL_WORDS,
  COMPLETION_WORDS,
  GENERATIONS,
  HEADER_WORDS,
  LIMIT_WORDS,
  LIMITED,
  OUTCOME_FAILURE,
  OUTCOME_NOTICE,
  OUTCOME_SIGNAL,
  OUTCOME_UNDEFINED,
  RING_WORDS,
} from './layout.js';
import { native, threadsafeDoorbell } from './native.js';
import type { Limits, Terms } from './options.js';
import { hear, listenWith } from './signals.js';
import type { Definition } from './task.js';
import { type Resolve, Ticket } from './ticket.js';

export const rings = native.open(settle, threadsafeDoorbell);
const words = new Int32Array(rings.ring);
const floats = new Float64Array(rings.ring);
const completions = new Int32Array(rings.completions);
readFrom(rings);
listenWith(rings);
const cells = new CellWriter(rings.ring, rings.arena);

/** For each pool: accepted by native code and not yet settled. */
export const inFlight = new Int32Array(rings.inFlight);

/** Most cells a task may have; more room than that is left in the ring before a record is begun. */
const MAX_CELLS = 16;
/** Worth a flush of its own: 128 records without arguments. */
const BATCH_WORDS = 128 * HEADER_WORDS;
const RING_LIMIT = RING_WORDS - HEADER_WORDS - LIMIT_WORDS - MAX_CELLS * CELL_WORDS;
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
/** Where the ring holds deadlines, which are times of the clock until they leave. */
const deadlines: number[] = [];

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
  threads: number;
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
    const ticket = new Ticket(definition.name, definition.decode);
    const promise = ticket.promise();
    submitTicket(lane, definition, args, { priority, input: 'auto', limits: undefined }, ticket);
    return promise;
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
  encode(definition, args, 'auto', undefined);
  if (cells.attachments.length > attachmentCount) {
    const ticket = new Ticket(definition.name, undefined);
    const promise = ticket.promise();
    commitTicket(lane, definition.operation, priority, undefined, ticket);
    return promise;
  }
  const slot = takeSlot();
  openSlot = slot;
  const promise = new Promise<unknown>(storeResolve);
  commit(lane, definition.operation, priority, undefined, slot);
  return promise;
}

/** Submits a task whose ticket tells how to settle it. Throws what the task's own checks throw. */
export function submitTicket(
  lane: Lane,
  definition: Definition<never, unknown>,
  args: readonly unknown[],
  { priority, input, limits }: Terms,
  ticket: Ticket,
): void {
  encode(definition, args, input, limits);
  commitTicket(lane, definition.operation, priority, limits, ticket);
}

/** Throws what the task's own checks throw, and leaves everything as it is. */
export function check(definition: Definition<never, unknown>, args: readonly unknown[]): void {
  encode(definition, args, 'borrow', undefined);
  resumeReading();
}

/** A slot for what is not a record: a pool's end. Settles as undefined. */
export function openSlotFor(start: (slot: number, generation: number) => void): Promise<unknown> {
  const slot = takeSlot();
  openSlot = slot;
  const promise = new Promise<unknown>(storeResolve);
  start(slot, generations[slot] as number);
  return promise;
}

/**
 * Cancels a submitted task, and rejects its promise at once: a task that waits leaves, one that runs is told to stop and
 * keeps its slot and its inputs until it has.
 */
export function cancel(ticket: Ticket, reason: unknown): void {
  if (ticket.resolve === undefined) return;
  if (ticket.slot >= 0) {
    flush();
    rings.cancel(ticket.slot, generations[ticket.slot] as number);
  }
  ticket.fail(reason, 'cancelled');
}

/** Has a task in flight see its stop flag; what it then ends with is its own affair. */
export function stop(ticket: Ticket): void {
  flush();
  if (ticket.slot >= 0) rings.stop(ticket.slot, generations[ticket.slot] as number);
}

/** Has a watched task tell of its progress from now on. */
export function watch(ticket: Ticket): void {
  flush();
  if (ticket.slot >= 0) rings.watch(ticket.slot, generations[ticket.slot] as number);
}

/** Whether a thread has begun a watched task that has not settled. */
export function isRunning(ticket: Ticket): boolean {
  flush();
  return ticket.slot >= 0 && rings.isRunning(ticket.slot, generations[ticket.slot] as number);
}

export const { openPool, openNodePool, endNodePools, closePool, poolOptions, cancelAll, counts, resize } = rings;
export const { beginWait, waitAgain, endWait, takeWaits, waitsSignal, reactorWakeUps } = rings;
export const { openWake, ringWake, lookAtWake, wakeCounts, closeWake } = rings;
export const { connect, socketError, send, receive, shutdown, close } = rings;

/** Hands everything submitted so far to the pools. */
export function flush(): void {
  if (ringEnd === 0) return;
  const end = ringEnd;
  ringEnd = 0;
  arenaEnd = 0;
  attachmentCount = 0;
  if (deadlines.length > 0) countDown();
  rings.flush(end, cells.attachments);
  if (cells.attachments.length > 0) cells.attachments.length = 0;
  resumeReading();
}

/** When a deadline is that the ring holds at `at`: native code counts from the flush, and the caller from the call. */
function timeOf(deadlineMs: number, at: number): number {
  deadlines.push(at);
  return performance.now() + deadlineMs;
}

function countDown(): void {
  const now = performance.now();
  for (const at of deadlines) floats[at] = (floats[at] as number) - now;
  deadlines.length = 0;
}

/** For a microtask: `then` is cheaper than queueMicrotask, which makes an AsyncResource. */
const settled = Promise.resolve();

function flushAsScheduled(): void {
  flushScheduled = false;
  flush();
}

function beginRecord(input: InputMode, limits: Limits | undefined): void {
  if (ringEnd > RING_LIMIT || arenaEnd > ARENA_LIMIT) flush();
  const firstCell = ringEnd + HEADER_WORDS + (limits === undefined ? 0 : LIMIT_WORDS);
  cells.begin(firstCell, arenaEnd, attachmentCount, input);
}

/** How the task that is reading its arguments now wants them; a getter among them may submit tasks of its own, or flush. */
let reading: { readonly input: InputMode; readonly limits: Limits | undefined } | undefined;

/** Whoever is still reading its arguments writes its cells behind what has been committed since. */
function resumeReading(): void {
  if (reading !== undefined) beginRecord(reading.input, reading.limits);
}

/** Of a task without options: what nearly all are. */
const PLAIN = Object.freeze({ input: 'auto', limits: undefined });

function encode(
  definition: Definition<never, unknown>,
  args: readonly unknown[],
  input: InputMode,
  limits: Limits | undefined,
): void {
  beginRecord(input, limits);
  if (definition.encode === undefined) return;
  const outer = reading;
  reading = input === 'auto' && limits === undefined ? PLAIN : { input, limits };
  try {
    definition.encode(args as never, cells);
    reading = outer;
  } catch (error) {
    reading = outer;
    resumeReading();
    throw error;
  }
}

function commitTicket(
  lane: Lane,
  operation: number,
  priority: number,
  limits: Limits | undefined,
  ticket: Ticket,
): void {
  if (cells.attachments.length > attachmentCount) ticket.held = cells.attachments.slice(attachmentCount);
  const slot = takeSlot();
  ticket.slot = slot;
  waiting[slot] = ticket;
  commit(lane, operation, priority, limits, slot);
}

function commit(lane: Lane, operation: number, priority: number, limits: Limits | undefined, slot: number): void {
  const { count, arenaEnd: end } = cells;
  writeHeader(operation, slot, lane.pool, priority, count, end - arenaEnd);
  if (limits !== undefined) writeLimits(limits);
  ringEnd += HEADER_WORDS + count * CELL_WORDS;
  arenaEnd = end;
  attachmentCount = cells.attachments.length;
  launch(lane);
  resumeReading();
}

/** Behind the header that has just been written. */
function writeLimits({ deadlineMs, timeoutMs, cpuBudgetMs, flags }: Limits): void {
  words[ringEnd] = (words[ringEnd] as number) | LIMITED;
  const at = (ringEnd + HEADER_WORDS) >> 1;
  floats[at] = deadlineMs === Number.POSITIVE_INFINITY ? deadlineMs : timeOf(deadlineMs, at);
  floats[at + 1] = timeoutMs;
  floats[at + 2] = cpuBudgetMs;
  words[ringEnd + HEADER_WORDS + 6] = flags;
  ringEnd += LIMIT_WORDS;
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
    const outcome = tag & 0xff;
    if (outcome === OUTCOME_SIGNAL) {
      hear(slot);
      continue;
    }
    const generation = generations[slot] as number;
    if (tag >>> 8 !== generation) continue; // never another task's
    const waiter = waiting[slot] as Resolve | Ticket;
    if (outcome === OUTCOME_NOTICE) {
      tellNews(waiter as Ticket, i);
      continue;
    }
    waiting[slot] = undefined;
    generations[slot] = (generation + 1) & (GENERATIONS - 1);
    free[freeCount++] = slot;
    if (typeof waiter === 'function') {
      if (outcome === OUTCOME_UNDEFINED) waiter(undefined);
      else if (outcome === OUTCOME_FAILURE) waiter(Promise.reject(failureAt(at, objects)));
      else waiter(valueAt(outcome, at, objects));
    } else {
      settleTicket(waiter, outcome, i, objects);
    }
  }
  if (afterBatch.size > 0) for (const callback of afterBatch) callback();
  if (freeCount === waiting.length && freeCount > KEPT_SLOTS) shrink();
}
