/** Makes `fs.Stats` of what the native body found. */
import { type Stats, statSync } from 'node:fs';

/** The order in which the native body returns them; times follow, in seconds and nanoseconds. */
const kFields = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'] as const;
const kTimes = ['atime', 'mtime', 'ctime', 'birthtime'] as const;

/** What differs between the versions of Node. */
interface Shape {
  readonly prototype: Stats;
  /** Before Node 22; since then, dates are computed on demand by the prototype. */
  readonly ownDates: boolean;
  /** Since Node 26: where the nanoseconds stand, in the order of times. */
  readonly nanoseconds: readonly symbol[];
}

let shape: Shape | undefined;

/** Learnt from one of Node's own, because the constructor is deprecated. */
function learnShape(): Shape {
  const sample = statSync('/');
  return {
    prototype: Object.getPrototypeOf(sample),
    ownDates: Object.hasOwn(sample, 'atime'),
    nanoseconds: Object.getOwnPropertySymbols(sample),
  };
}

export function toStats(values: readonly number[]): Stats {
  shape ??= learnShape();
  const { prototype, ownDates, nanoseconds } = shape;
  const stats = Object.create(prototype);
  kFields.forEach((field, index) => {
    stats[field] = values[index];
  });
  kTimes.forEach((time, index) => {
    const at = kFields.length + 2 * index;
    stats[`${time}Ms`] = (values[at] as number) * 1000 + (values[at + 1] as number) / 1e6;
    const key = nanoseconds[index];
    if (key !== undefined) stats[key] = values[at + 1];
  });
  if (ownDates) for (const time of kTimes) stats[time] = new Date(Math.round(stats[`${time}Ms`]));
  return stats;
}
