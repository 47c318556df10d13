/** Sources that tell how they are used. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

export const kinds = ['sync', 'async'] as const;
export type Kind = (typeof kinds)[number];

export interface Use {
  opened: number;
  /** Items that were given. */
  pulled: number;
  /** Calls of `next()` while another one was pending. */
  overlaps: number;
  returned: number;
}

/** Gives the items. An async source takes a turn of the loop for each, and for `return()`. */
export function watched<const T>(
  kind: Kind,
  items: Iterable<T>,
  onReturn: () => void = () => {},
): { source: Iterable<T> & AsyncIterable<T>; use: Use } {
  const use: Use = { opened: 0, pulled: 0, overlaps: 0, returned: 0 };
  const iterator = items[Symbol.iterator]();
  let isPending = false;
  const next = () => {
    const step = iterator.next();
    if (!step.done) ++use.pulled;
    return step;
  };
  const end = () => {
    ++use.returned;
    onReturn();
    return { value: undefined, done: true } as const;
  };
  const open = {
    sync: () => ({ next, return: end }),
    async: () => ({
      async next() {
        if (isPending) ++use.overlaps;
        isPending = true;
        await setImmediate();
        isPending = false;
        return next();
      },
      async return() {
        await setImmediate();
        return end();
      },
    }),
  };
  const key = kind === 'sync' ? Symbol.iterator : Symbol.asyncIterator;
  const source = {
    [key]() {
      ++use.opened;
      return open[kind]();
    },
  };
  return { source: source as unknown as Iterable<T> & AsyncIterable<T>, use };
}

export function* forever<const T>(item: T): Generator<T> {
  for (;;) yield item;
}

/** Gives `count` items, and throws. */
export function* throwing<const T>(count: number, item: T, error: unknown): Generator<T> {
  for (let i = 0; i < count; ++i) yield item;
  throw error;
}

/** A file that can be read to its end only when it is told to end. Reading it then gives its path. */
export function gated(path: string): { path: string; end: () => Promise<void> } {
  execFileSync('mkfifo', [path]);
  return { path, end: () => writeFile(path, path) };
}
