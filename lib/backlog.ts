/** Tasks that wait in JavaScript for room in their pool: the overflow policy 'wait'. */
import type { SavedCells } from './cells.js';
import type { AbortError } from './errors.js';
import type { Ticket } from './ticket.js';

export interface Waiting {
  readonly operation: number;
  readonly priority: number;
  readonly saved: SavedCells;
  readonly ticket: Ticket;
}

/** First in, first out. */
export class Backlog {
  #tasks = new Set<Waiting>();

  get size(): number {
    return this.#tasks.size;
  }

  add(task: Waiting): void {
    this.#tasks.add(task);
  }

  /** The oldest, which must exist. */
  shift(): Waiting {
    const [task] = this.#tasks as Iterable<Waiting> as [Waiting];
    this.#tasks.delete(task);
    return task;
  }

  /** Takes a task out and rejects it. */
  reject(task: Waiting, reason: AbortError | Error): void {
    if (!this.#tasks.delete(task)) return;
    task.ticket.onSettle?.();
    task.ticket.resolve?.(Promise.reject(reason));
  }

  rejectAll(reason: () => Error): void {
    for (const task of this.#tasks) this.reject(task, reason());
  }
}
