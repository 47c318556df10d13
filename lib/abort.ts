/** Aborting tasks: one listener for each signal, however many tasks share it. */
import { AbortError } from './errors.js';

type Abort = (reason: AbortError) => void;

const tasksOf = new WeakMap<AbortSignal, Tasks>();

/** The tasks of a signal, and its listener: an event tells who was aborted, but not of a proxy before them. */
class Tasks extends Set<Abort> {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    super();
    this.#signal = signal;
  }

  handleEvent(): void {
    const reason = new AbortError(this.#signal.reason);
    for (const abort of this) abort(reason);
  }
}

/** Calls `abort` when the signal is aborted, or now if it is already, until the returned function is called. */
export function onAbort(signal: AbortSignal, abort: Abort): () => void {
  if (signal.aborted) {
    abort(new AbortError(signal.reason)); // an argument's getter did it
    return () => {};
  }
  let tasks = tasksOf.get(signal);
  if (tasks === undefined) {
    tasks = new Tasks(signal);
    tasksOf.set(signal, tasks);
  }
  if (tasks.size === 0) signal.addEventListener('abort', tasks, { once: true });
  tasks.add(abort);
  return () => {
    tasks.delete(abort);
    if (tasks.size === 0) signal.removeEventListener('abort', tasks);
  };
}
