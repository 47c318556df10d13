/** How several futures, promises and values become one outcome. */
import { invalidType, invalidValue } from './check.js';
import { Settler } from './settler.js';

/** Promise.all and its like: handles every member's rejection, whatever the outcome. */
type Combine<T> = (members: Iterable<unknown>) => Promise<T>;

/**
 * Settles as `combine` does, and cancels what is left of the members then, or when the result is cancelled itself.
 *
 * @param settlerOf - of a member that is a Future
 * @throws TypeError ERR_INVALID_ARG_TYPE when `members` cannot be iterated
 */
export function combined<T>(
  combine: Combine<T>,
  members: Iterable<unknown>,
  settlerOf: (member: unknown) => Settler<unknown> | undefined,
): Settler<T> {
  if (typeof members?.[Symbol.iterator] !== 'function') throw invalidType('futures', 'an iterable', members);
  const futures: Array<Settler<unknown>> = [];
  /** Hands on a Future's own promise: as a mere thenable it would come later than the promises beside it. */
  function* opened(): Iterable<unknown> {
    for (const member of members) {
      const future = settlerOf(member);
      if (future) futures.push(future);
      yield future ? future.promise : member;
    }
  }
  const cancel = (reason?: unknown): void => {
    for (const future of futures) future.cancel(reason);
  };
  const settler = new Settler<T>();
  settler.steering = { isRunning: () => true, cancel, watch() {} };
  combine(opened()).then(
    (value) => {
      settler.fulfil(value);
      cancel();
    },
    (error) => {
      settler.reject(error);
      cancel(error);
    },
  );
  return settler;
}

/**
 * As Promise.any, but of failures the first in time is told, as it is.
 *
 * @param given - what the caller passed, for the error when it is empty
 */
export function firstSuccess(members: Iterable<unknown>, given: Iterable<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let left = 0;
    let first: { error: unknown } | undefined;
    const fail = (error: unknown): void => {
      first ??= { error };
      if (--left === 0) reject(first.error);
    };
    for (const member of members) {
      ++left;
      Promise.resolve(member).then(resolve, fail);
    }
    if (left === 0) reject(invalidValue('futures', 'must not be empty', given));
  });
}
