import { setImmediate } from 'node:timers/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { futureOf } from '../lib/future.js';
import { Future, OffloopError } from '../lib/index.js';
import { Settler } from '../lib/settler.js';
import { rejection } from './support/gate.js';
import { deferred } from './support/settling.js';

describe('a Future', () => {
  test('is not made by users', () => {
    // @ts-expect-error: it is private
    expect(() => new Future()).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' }));
    const Constructor = deferred().future.constructor as new (settler: unknown) => unknown;
    expect(() => new Constructor({ promise: Promise.resolve() })).toThrow(TypeError);
  });

  test('has an id of its own', () => {
    const ids = Array.from({ length: 100 }, () => deferred().future.id);
    expect(new Set(ids).size).toBe(100);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });

  test('is a thenable whose continuations are promises', async () => {
    const { settler, future } = deferred<number>();
    const promises = [future.then((n) => n + 1), future.catch(() => 0), future.finally(() => 7)];
    for (const promise of promises) expect(promise).toBeInstanceOf(Promise);
    settler.fulfil(1);
    expect(await Promise.all(promises)).toEqual([2, 1, 1]);
    expect(await future).toBe(1);
    expectTypeOf(future.then((n) => `${n}`)).toEqualTypeOf<Promise<string>>();
    expectTypeOf<Future<number>>().toExtend<Future<unknown>>();
    expectTypeOf<Awaited<Future<number>>>().toEqualTypeOf<number>();
  });

  test('hands the error to catch, and finally leaves it as it is', async () => {
    const { settler, future } = deferred();
    const error = new Error('on purpose');
    let finals = 0;
    const after = future.finally(() => void ++finals);
    settler.reject(error);
    expect(await rejection(after)).toBe(error);
    expect(await future.catch((caught) => caught)).toBe(error);
    expect(finals).toBe(1);
  });

  test('continues as early as a promise that is settled at the same time', async () => {
    const order: string[] = [];
    const { settler, future } = deferred();
    let resolve!: (value: unknown) => void;
    const promise = new Promise((res) => {
      resolve = res;
    });
    future.then(() => order.push('future'));
    promise.then(() => order.push('promise'));
    future.onSuccess(() => order.push('onSuccess'));
    settler.fulfil(1);
    resolve(1);
    await setImmediate();
    expect(order).toEqual(['future', 'onSuccess', 'promise']);
  });
});

describe('its status', () => {
  test.each([
    ['fulfilled', (settler: Settler<unknown>) => settler.fulfil(1)],
    ['rejected', (settler: Settler<unknown>) => settler.reject(new Error('on purpose'))],
    ['cancelled', (settler: Settler<unknown>) => settler.reject(new Error('on purpose'), 'cancelled')],
    ['cancelled', (settler: Settler<unknown>) => settler.cancel('why not')],
  ] as const)('is queued, running, and %s at once', (status, settle) => {
    let isRunning = false;
    const { settler, future } = deferred({ isRunning: () => isRunning });
    future.onFailure(() => {});
    expect(future.status).toBe('queued');
    isRunning = true;
    expect(future.status).toBe('running');
    settle(settler);
    expect(future.status).toBe(status);
    isRunning = false;
    expect(future.status).toBe(status);
  });

  test('is queued while nobody steers it', () => {
    expect(futureOf(new Settler()).status).toBe('queued');
  });
});

describe('settling', () => {
  test('happens once: what comes first counts', async () => {
    const ways = [
      (settler: Settler<unknown>) => settler.fulfil('first'),
      (settler: Settler<unknown>) => settler.reject('first'),
      (settler: Settler<unknown>) => settler.reject('first', 'cancelled'),
    ];
    for (const first of ways) {
      const { settler, future } = deferred();
      first(settler);
      const { status } = future;
      settler.fulfil('second');
      settler.reject('second');
      settler.reject('second', 'cancelled');
      expect(settler.cancel('second')).toBe(false);
      expect(future.status).toBe(status);
      expect(await future.catch((error) => error)).toBe('first');
    }
  });

  test('lets go of what steered it', () => {
    const { settler } = deferred();
    settler.fulfil(1);
    expect(settler.steering).toBeUndefined();
  });
});

describe('timing', () => {
  test('is zero until it is known', async () => {
    const { settler, future } = deferred();
    expect(future.timing).toEqual({ queuedNs: 0, runNs: 0, cpuNs: 0 });
    settler.time(1, 2, 3);
    settler.fulfil(1);
    await future;
    expect(future.timing).toEqual({ queuedNs: 1, runNs: 2, cpuNs: 3 });
  });

  test('may become known when a cancelled task has stopped', () => {
    const { settler, future } = deferred();
    future.onFailure(() => {}).cancel();
    settler.time(4, 5, 6);
    expect(future.timing).toEqual({ queuedNs: 4, runNs: 5, cpuNs: 6 });
  });
});

describe('cancel', () => {
  test('rejects at once with the reason as the cause, and has the task stopped', async () => {
    const stops: unknown[] = [];
    const { future } = deferred({ cancel: (reason) => stops.push([reason, future.status]) });
    const reason = { no: 'longer needed' };
    expect(future.cancel(reason)).toBe(true);
    expect(future.status).toBe('cancelled');
    expect(stops).toEqual([[reason, 'cancelled']]);
    const error = await rejection(future.then());
    expect(error).toBeInstanceOf(OffloopError);
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED', task: 'task' });
    expect(error.message).toMatch(/^task: /);
    expect(error.cause).toBe(reason);
  });

  test('without a reason leaves the error without a cause', async () => {
    const { future } = deferred();
    future.cancel();
    expect(await rejection(future.then())).not.toHaveProperty('cause');
  });

  test('is false the second time, and after the Future has settled, and stops nothing then', () => {
    let stops = 0;
    const steering = { cancel: () => void ++stops };
    const [cancelled, fulfilled, rejected] = [deferred(steering), deferred(steering), deferred(steering)];
    cancelled.future.onFailure(() => {}).cancel();
    fulfilled.settler.fulfil(1);
    rejected.settler.reject(new Error('on purpose'));
    rejected.future.onFailure(() => {});
    stops = 0;
    for (const { future } of [cancelled, fulfilled, rejected]) expect(future.cancel()).toBe(false);
    expect(stops).toBe(0);
    expect([cancelled, fulfilled, rejected].map(({ future }) => future.status)).toEqual([
      'cancelled',
      'fulfilled',
      'rejected',
    ]);
  });

  test('wins over a task that settles when it is told to stop', async () => {
    const { settler, future } = deferred({ cancel: () => settler.fulfil('too late') });
    expect(future.cancel()).toBe(true);
    expect(await rejection(future.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });

  test('may be called from a callback of another', async () => {
    const [first, second] = [deferred(), deferred()];
    first.future.onSuccess(() => expect(second.future.cancel('because')).toBe(true));
    first.settler.fulfil(1);
    expect(await rejection(second.future.then())).toMatchObject({ cause: 'because' });
  });
});

describe('onSuccess and onFailure', () => {
  test('return the Future, and call back with what became of it', async () => {
    const calls: unknown[] = [];
    const note = (name: string) => (value: unknown) => void calls.push([name, value]);
    const [good, bad] = [deferred(), deferred()];
    expect(good.future.onSuccess(note('good')).onFailure(note('never'))).toBe(good.future);
    expect(bad.future.onSuccess(note('never')).onFailure(note('bad'))).toBe(bad.future);
    good.settler.fulfil('result');
    bad.settler.reject('error');
    await setImmediate();
    expect(calls).toEqual([
      ['good', 'result'],
      ['bad', 'error'],
    ]);
  });

  test('call back when the current code is done, also when the Future has settled already', async () => {
    const calls: string[] = [];
    const [good, bad] = [deferred(), deferred()];
    const listen = (when: string) => {
      good.future.onSuccess(() => calls.push(`${when}: success`));
      bad.future.onFailure(() => calls.push(`${when}: failure`));
    };
    listen('before');
    good.settler.fulfil(1);
    bad.settler.reject('error');
    listen('after');
    expect(calls).toEqual([]);
    await new Promise<void>(queueMicrotask);
    expect(calls.toSorted()).toEqual(['after: failure', 'after: success', 'before: failure', 'before: success']);
    listen('later');
    expect(calls.length).toBe(4);
    await new Promise<void>(queueMicrotask);
    expect(calls.slice(4)).toEqual(['later: success', 'later: failure']);
  });

  test('call back when they are the first that anyone asks of a settled Future', async () => {
    const calls: unknown[] = [];
    const [good, bad] = [deferred(), deferred()];
    good.settler.fulfil('result');
    bad.settler.reject('error');
    good.future.onSuccess((value) => calls.push(value));
    bad.future.onFailure((error) => calls.push(error));
    await setImmediate();
    expect(calls).toEqual(['result', 'error']);
  });

  test('call the callbacks in the order they came', async () => {
    const calls: number[] = [];
    const { settler, future } = deferred();
    for (let i = 0; i < 100; ++i) future.onSuccess(() => calls.push(i));
    settler.fulfil(1);
    await setImmediate();
    expect(calls).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('of a cancelled Future call back the failure alone', async () => {
    const { future } = deferred();
    const errors: unknown[] = [];
    future.onFailure((error) => errors.push(error)).onSuccess((value) => errors.push(value));
    future.cancel('why not');
    future.onSuccess((value) => errors.push(value));
    await setImmediate();
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_OFFLOOP_CANCELLED', cause: 'why not' })]);
  });

  test.each([undefined, null, {}, 'callback'])('throw at once for the callback %o', (callback) => {
    const { future } = deferred();
    const mistake = expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => future.onSuccess(callback as never)).toThrow(mistake);
    expect(() => future.onFailure(callback as never)).toThrow(mistake);
    expect(() => future.onFailure(callback as never)).toThrow('"callback" argument must be of type function');
  });
});
