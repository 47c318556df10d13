/** Who waits for a task that needs more than a promise. */

export type Resolve = (value: unknown) => void;

/** How a task that did not succeed ended, for those who tell it apart. */
export type How = 'rejected' | 'cancelled';

/** Hears what becomes of a task, beside whoever awaits it. */
export interface Listener {
  /** A thread has begun it. */
  started?(): void;
  /** It has come so far, of so much; `total` may be NaN: not known. */
  progressed?(done: number, total: number): void;
  /** Nanoseconds: in the queue, on a thread, and of processor time. Comes before the end. */
  took?(queuedNs: number, runNs: number, cpuNs: number): void;
  /** It has settled: with a value, or with an error. Comes before its promise's reactions. */
  settled?(error: unknown, how: 'fulfilled' | How): void;
  /** It has left its thread and its inputs: after the end where that could not wait, else just before it. */
  cameHome?(): void;
}

/** A task's promise, and what else must happen when it settles. */
export class Ticket {
  /** Settles the promise; undefined when it has been told, which may be long before the task comes home. */
  resolve: Resolve | undefined;
  /** How to reject, where there is more to it than a rejected promise. */
  reject: ((error: unknown, how: How) => void) | undefined;
  slot = -1;
  /** Kept from the garbage collector while native code reads them. */
  held: readonly unknown[] | undefined;
  /** As in errors. */
  readonly task: string;
  readonly decode: ((value: never) => unknown) | undefined;
  /** Gives back the signal's listener. */
  release: (() => void) | undefined;
  readonly listeners: Listener[] = [];

  constructor(task: string, decode: ((value: never) => unknown) | undefined) {
    this.task = task;
    this.decode = decode;
  }

  /** A plain one, for whoever awaits the task. */
  promise(): Promise<unknown> {
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** The first end counts; later ones change nothing. */
  fulfil(value: unknown): void {
    const resolve = this.#end(undefined, 'fulfilled');
    resolve?.(value);
  }

  fail(error: unknown, how: How): void {
    const { reject } = this;
    const resolve = this.#end(error, how);
    if (resolve === undefined) return;
    if (reject !== undefined) reject(error, how);
    else resolve(Promise.reject(error));
  }

  /** Nothing of the task is left. */
  home(): void {
    this.slot = -1;
    this.held = undefined;
    for (const listener of this.listeners) listener.cameHome?.();
  }

  #end(error: unknown, how: 'fulfilled' | How): Resolve | undefined {
    const { resolve, release } = this;
    if (resolve === undefined) return undefined;
    this.resolve = undefined;
    this.release = undefined;
    release?.();
    for (const listener of this.listeners) listener.settled?.(error, how);
    return resolve;
  }
}
