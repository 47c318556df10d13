/** Hears how far a task comes. */
import { LIMITS_WATCHED } from '../../lib/layout.js';
import { spin } from '../../lib/ops.js';
import { fillPoolOptions, NORMAL_PRIORITY } from '../../lib/options.js';
import * as ring from '../../lib/ring.js';
import type { Definition } from '../../lib/task.js';
import { Ticket } from '../../lib/ticket.js';

interface Defined<Args extends readonly unknown[], Result> {
  readonly definition: Definition<Args, Result>;
}

export interface Watched<Result> {
  readonly result: Promise<Result>;
  /** What has been told so far. */
  readonly told: ReadonlyArray<readonly [done: number, total: number]>;
}

let lane: ring.Lane | undefined;

/** Runs a task on a pool of one thread, which another holds until it is watched. */
export function runWatched<Args extends readonly unknown[], Result>(
  task: Defined<Args, Result>,
  args: Args,
): Watched<Result> {
  lane ??= { pool: ring.openPool(nativeOptions(), false), threads: 0 }; // never a thread to spare: nothing goes out early
  const told: Array<[number, number]> = [];
  const ticket = new Ticket(task.definition.name, task.definition.decode);
  ticket.listeners.push({ progressed: (done, total) => void told.push([done, total]) });
  const result = ticket.promise() as Promise<Result>;
  const gate = new Ticket(spin.definition.name, undefined);
  gate.promise().catch(() => {}); // it is stopped
  const none = Number.POSITIVE_INFINITY;
  const limits = { deadlineMs: none, timeoutMs: none, cpuBudgetMs: none, flags: LIMITS_WATCHED };
  const terms = { priority: NORMAL_PRIORITY, input: 'auto', limits } as const;
  ring.submitTicket(
    lane,
    spin.definition as Definition<never, unknown>,
    [60_000],
    { ...terms, limits: undefined },
    gate,
  );
  const definition = task.definition as unknown as Definition<never, unknown>;
  ring.submitTicket(lane, definition, args, terms, ticket);
  ring.watch(ticket);
  ring.stop(gate);
  return { result, told };
}

function nativeOptions(): Parameters<typeof ring.openPool>[0] {
  const { name, capacity, stackSize } = fillPoolOptions({ name: 'watched' });
  return { name, threads: 1, capacity, overflow: 0, agingNs: 1e8, lingerNs: 0, stackBytes: stackSize };
}
