/** Aborting tasks: one listener for each signal, however many tasks share it. */
import { AbortError } from './errors.js';

type Abort = (reason: AbortError) => void;

const tasksOf = new WeakMap<AbortSignal, Set<Abort>>();

/** Calls `abort` when the signal is aborted, or now if it is already, until the returned function is called. */
export function onAbort(signal: AbortSignal, abort: Abort): () => void {
  if (signal.aborted) {
    abort(new AbortError(signal.reason)); // an argument's getter did it
    return () => {};
  }
  let tasks = tasksOf.get(signal);
  if (tasks === undefined) {
    tasks = new Set();
    tasksOf.set(signal, tasks);
  }
  if (tasks.size === 0) signal.addEventListener('abort', abortAll, { once: true });
  tasks.add(abort);
  return () => {
    tasks.delete(abort);
    if (tasks.size === 0) signal.removeEventListener('abort', abortAll);
  };
}

function abortAll(event: Event): void {
  const signal = event.target as AbortSignal;
  const reason = new AbortError(signal.reason);
  for (const abort of tasksOf.get(signal) ?? []) abort(reason);
}
