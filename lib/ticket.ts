/** Who waits for a task that needs more than a promise. */

export type Resolve = (value: unknown) => void;

/** A task's promise, and what else must happen when it settles. */
export class Ticket {
  resolve: Resolve | undefined;
  slot = -1;
  /** Kept from the garbage collector while native code reads them. */
  held: readonly unknown[] | undefined;
  readonly decode: ((value: never) => unknown) | undefined;
  /** Runs when the task settles, before its promise does. */
  onSettle: (() => void) | undefined;
  /** Why the task is being cancelled: becomes its rejection. */
  cancelled: Error | undefined;

  constructor(decode: ((value: never) => unknown) | undefined) {
    this.decode = decode;
  }
}
