import { setImmediate } from 'node:timers/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Future } from '../lib/index.js';
import { hash, noop, sleep } from '../lib/ops.js';
import { rejection } from './support/gate.js';
import { open } from './support/pools.js';
import { combinators, type Deferred, deferred } from './support/settling.js';

const members = <T = unknown>(count: number): Array<Deferred<T>> => Array.from({ length: count }, () => deferred<T>());
const futuresOf = (all: readonly Deferred<unknown>[]) => all.map(({ future }) => future);
const statusesOf = (all: readonly Deferred<unknown>[]) => all.map(({ future }) => future.status);
/** What a promise or Future comes to. */
const outcomeOf = (thenable: PromiseLike<unknown>) =>
  Promise.resolve(thenable).then(
    (value) => ({ value }),
    (error) => ({ error }),
  );

describe.each(Object.entries(combinators))('Future.%s', (name, combine) => {
  test('returns a Future that runs', () => {
    const combined = combine(futuresOf(members(2)));
    expect(combined).toBeInstanceOf(Future);
    expect(combined.status).toBe('running');
    expect(combined.timing).toEqual({ queuedNs: 0, runNs: 0, cpuNs: 0 });
  });

  test.each([undefined, null, 7, {}, () => {}])('throws at once for %o, which cannot be iterated', (mistake) => {
    const invalid = expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => combine(mistake as never)).toThrow(invalid);
    expect(() => combine(mistake as never)).toThrow('The "futures" argument must be an iterable');
  });

  test('needs no this', async () => {
    const { [name as 'all']: bare } = Future;
    expect([1, [1], [{ status: 'fulfilled', value: 1 }]]).toContainEqual(await bare([1]));
  });

  test('cancels every member when it is cancelled, with its reason', async () => {
    const all = members(3);
    const combined = combine(new Set(futuresOf(all)));
    expect(combined.cancel('enough')).toBe(true);
    expect(statusesOf(all)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(combined.status).toBe('cancelled');
    for (const future of [combined, ...futuresOf(all)]) {
      expect(await rejection(future.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED', cause: 'enough' });
    }
    expect(combined.cancel()).toBe(false);
  });

  test('leaves members that have settled as they are', async () => {
    const all = members(2);
    all[0]?.settler.fulfil(1);
    const combined = combine(futuresOf(all));
    combined.onFailure(() => {}).cancel();
    expect(statusesOf(all)).toEqual(['fulfilled', 'cancelled']);
  });

  test('rejects as an iterable that throws, and cancels what it gave before', async () => {
    const [first] = members(1) as [Deferred<unknown>];
    const error = new Error('out of members');
    const combined = combine(
      (function* () {
        yield first.future;
        throw error;
      })(),
    );
    expect(await rejection(combined.then())).toBe(error);
    expect(first.future.status).toBe('cancelled');
  });
});

describe('what stands in for Promise', () => {
  const failure = (message: string) => new Error(message);
  const lists: ReadonlyArray<readonly [string, () => Iterable<unknown>]> = [
    ['nothing', () => []],
    ['values', () => [1, 'two', undefined]],
    ['a string', () => 'abc'],
    ['a value and a rejection', () => [1, Promise.reject(failure('a'))]],
    ['a rejection and a value', () => [Promise.reject(failure('a')), 1]],
    ['rejections', () => [Promise.reject(failure('a')), Promise.reject(failure('b'))]],
    ['promises', () => [Promise.resolve(1), setImmediate(2), Promise.resolve(3)]],
    ['a late rejection', () => [setImmediate(1), setImmediate().then(() => Promise.reject(failure('late')))]],
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    ['thenables', () => [{ then: (done: (value: number) => void) => done(5) }, setImmediate(1)]],
    ['a set', () => new Set([Promise.resolve(1), 2])],
    ['a generator', () => [1, 2, 3].values()],
  ];
  const standIns = ['all', 'allSettled', 'any', 'race'] as const;

  const cases = standIns
    .flatMap((name) => lists.map(([what, list]) => [name, what, list] as const))
    .filter(([name, what]) => name !== 'race' || what !== 'nothing'); // which never settles: below

  test.each(cases)('Future.%s comes to the same as that of Promise for %s', async (name, _what, list) => {
    const standard = Promise[name].bind(Promise) as (members: Iterable<unknown>) => Promise<unknown>;
    const combine = combinators[name] as (members: Iterable<unknown>) => Future<unknown>;
    expect(await outcomeOf(combine(list()))).toEqual(await outcomeOf(standard(list())));
  });
});

describe('Future.all', () => {
  test('gives the results in the order of the members', async () => {
    const all = members<number>(3);
    const combined = Future.all(futuresOf(all));
    for (const i of [2, 0, 1]) all[i]?.settler.fulfil(i);
    expect(await combined).toEqual([0, 1, 2]);
    expect(combined.status).toBe('fulfilled');
  });

  test('mixes futures, promises and values, and knows their types', async () => {
    const pool = open({ threads: 1 });
    const combined = Future.all([pool.start(hash, ['md5', '']), Promise.resolve('text'), 7] as const);
    expectTypeOf(combined).toEqualTypeOf<Future<[Buffer, string, 7]>>();
    const ofSet = Future.all(new Set([pool.start(noop), pool.start(hash, ['md5', ''])]));
    expectTypeOf(ofSet).toEqualTypeOf<Future<Array<undefined | Buffer>>>();
    expect((await ofSet).length).toBe(2);
    const [digest, ...rest] = await combined;
    expect(digest.length).toBe(16);
    expect(rest).toEqual(['text', 7]);
  });

  test('on the first rejection cancels the members that are left, and tells them why', async () => {
    const all = members(4);
    const combined = Future.all(futuresOf(all));
    const error = new Error('on purpose');
    all[3]?.settler.fulfil(1);
    all[1]?.settler.reject(error);
    expect(await rejection(combined.then())).toBe(error);
    expect(combined.status).toBe('rejected');
    expect(statusesOf(all)).toEqual(['cancelled', 'rejected', 'cancelled', 'fulfilled']);
    expect(await rejection(futuresOf(all)[0]?.then() as Promise<unknown>)).toMatchObject({ cause: error });
  });

  test('is rejected by a member that is cancelled', async () => {
    const all = members(2);
    const combined = Future.all(futuresOf(all));
    all[0]?.future.cancel('alone');
    expect(await rejection(combined.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED', cause: 'alone' });
    expect(combined.status).toBe('rejected');
    expect(statusesOf(all)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('Future.allSettled', () => {
  test('waits for all, and cancels none', async () => {
    const all = members(3);
    const combined = Future.allSettled(futuresOf(all));
    all[1]?.settler.reject('no');
    all[0]?.settler.fulfil('yes');
    await setImmediate();
    expect(statusesOf(all)).toEqual(['fulfilled', 'rejected', 'queued']);
    expect(combined.status).toBe('running');
    all[2]?.settler.fulfil('late');
    expect(await combined).toEqual([
      { status: 'fulfilled', value: 'yes' },
      { status: 'rejected', reason: 'no' },
      { status: 'fulfilled', value: 'late' },
    ]);
  });
});

describe.each([
  ['any', Future.any],
  ['firstSuccess', Future.firstSuccess],
] as const)('Future.%s', (_name, combine) => {
  test('gives the first result, whatever has failed before, and cancels the members that are left', async () => {
    const all = members(4);
    const combined = combine(futuresOf(all));
    all[0]?.settler.reject(new Error('on purpose'));
    await setImmediate();
    expect(statusesOf(all)).toEqual(['rejected', 'queued', 'queued', 'queued']);
    all[2]?.settler.fulfil('result');
    all[3]?.settler.fulfil('second');
    expect(await combined).toBe('result');
    expect(statusesOf(all)).toEqual(['rejected', 'cancelled', 'fulfilled', 'fulfilled']);
    expect(await rejection(futuresOf(all)[1]?.then() as Promise<unknown>)).not.toHaveProperty('cause');
  });

  test('takes values and promises too', async () => {
    const [left] = members(1) as [Deferred<unknown>];
    expect(await combine([Promise.reject(new Error('on purpose')), left.future, setImmediate('result')])).toBe(
      'result',
    );
    expect(left.future.status).toBe('cancelled');
  });
});

describe('Future.any', () => {
  test('rejects with all errors, in the order of the members', async () => {
    const all = members(2);
    const combined = Future.any(futuresOf(all));
    all[1]?.settler.reject('second');
    all[0]?.settler.reject('first');
    const error = await rejection(combined.then());
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toEqual(['first', 'second']);
  });
});

describe('Future.firstSuccess', () => {
  test('rejects as the member that failed first, when all have', async () => {
    const all = members(3);
    const combined = Future.firstSuccess(futuresOf(all));
    const errors = [0, 1, 2].map((i) => new Error(`${i}`));
    for (const i of [1, 2]) all[i]?.settler.reject(errors[i]);
    await setImmediate();
    expect(combined.status).toBe('running');
    all[0]?.settler.reject(errors[0]);
    expect(await rejection(combined.then())).toBe(errors[1]);
  });

  test('may reject with undefined, when that is what came first', async () => {
    const all = members(2);
    const combined = Future.firstSuccess(futuresOf(all));
    all[1]?.settler.reject(undefined);
    all[0]?.settler.reject('second');
    expect(await outcomeOf(combined)).toEqual({ error: undefined });
  });

  test('rejects when there are no members', async () => {
    const error = await rejection(Future.firstSuccess([]).then());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(error.message).toBe('The "futures" argument must not be empty. Received an instance of Array');
  });
});

describe('Future.race', () => {
  test.each([
    ['a result', 'fulfilled', (settler: Deferred<unknown>['settler']) => settler.fulfil('first')],
    ['a failure', 'rejected', (settler: Deferred<unknown>['settler']) => settler.reject('first')],
  ])('settles by %s as the first member, and cancels the members that are left', async (_what, status, settle) => {
    const all = members(3);
    const combined = Future.race(futuresOf(all));
    if (all[1]) settle(all[1].settler);
    all[0]?.settler.fulfil('second');
    expect(await combined.catch((error) => error)).toBe('first');
    expect(combined.status).toBe(status);
    expect(statusesOf(all)).toEqual(['fulfilled', status, 'cancelled']);
  });

  test('among those that have settled already takes the first, be it a Future, a promise or a value', async () => {
    const settled = () => {
      const { settler, future } = deferred();
      settler.fulfil('future');
      return future;
    };
    expect(await Future.race([settled(), Promise.resolve('promise'), 'value'])).toBe('future');
    expect(await Future.race([Promise.resolve('promise'), settled(), 'value'])).toBe('promise');
    expect(await Future.race(['value', settled(), Promise.resolve('promise')])).toBe('value');
  });

  test('of nothing stays pending, and can be cancelled', async () => {
    const combined = Future.race([]);
    await setImmediate();
    expect(combined.status).toBe('running');
    expect(combined.cancel()).toBe(true);
    expect(await rejection(combined.then())).toMatchObject({ code: 'ERR_OFFLOOP_CANCELLED' });
  });
});

describe('combinations', () => {
  test('are members of others, and cancelled with them', async () => {
    const all = members(3);
    const inner = Future.all(futuresOf(all.slice(0, 2)));
    const outer = Future.race([inner, ...futuresOf(all.slice(2))]);
    all[2]?.settler.fulfil('quick');
    expect(await outer).toBe('quick');
    expect(inner.status).toBe('cancelled');
    expect(statusesOf(all)).toEqual(['cancelled', 'cancelled', 'fulfilled']);
  });

  test('have the tasks of their losers stopped', async () => {
    const pool = open({ threads: 1 });
    const sleeps = Array.from({ length: 50 }, () => pool.start(sleep, [60_000]));
    expect(await Future.race([...sleeps, pool.start(noop)])).toBeUndefined();
    await pool.drain();
    expect(pool.stats()).toMatchObject({ cancelled: 50, fulfilled: 1, inFlight: 0 });
  });

  test('may have a member twice', async () => {
    const [member, other] = members(2) as [Deferred<unknown>, Deferred<unknown>];
    const combined = Future.any([member.future, member.future, other.future]);
    other.settler.fulfil('result');
    expect(await combined).toBe('result');
    expect(member.future.status).toBe('cancelled');
  });

  test('end their progress when they settle', async () => {
    const { settler, future } = deferred();
    const combined = Future.all([future]);
    const end = combined.progress[Symbol.asyncIterator]().next();
    settler.fulfil(1);
    expect(await end).toEqual({ done: true, value: undefined });
  });
});
