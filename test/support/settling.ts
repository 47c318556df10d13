/** Futures, and every way in which one settles. */
import { futureOf } from '../../lib/future.js';
import { Future, type Pool } from '../../lib/index.js';
import { noop, readFile, sleep } from '../../lib/ops.js';
import { Settler, type Steering } from '../../lib/settler.js';

export interface Deferred<T> {
  settler: Settler<T>;
  future: Future<T>;
}

/** A Future, and the end by which it is settled. */
export function deferred<T = unknown>(steering: Partial<Steering> = {}): Deferred<T> {
  const settler = new Settler<T>('task');
  settler.steering = { isRunning: () => false, cancel() {}, watch() {}, ...steering };
  return { settler, future: futureOf(settler) };
}

export const combinators: Readonly<Record<string, (members: Iterable<unknown>) => Future<unknown>>> = {
  all: Future.all,
  allSettled: Future.allSettled,
  any: Future.any,
  race: Future.race,
  firstSuccess: Future.firstSuccess,
};

export interface Settling {
  future: Future<unknown>;
  settle(): void;
}
type Way = readonly [name: string, begin: (pool: Pool) => Settling];

function own(settle: (made: Deferred<unknown>) => void): Settling {
  const made = deferred();
  return { future: made.future, settle: () => settle(made) };
}

function combined(
  combine: (members: Iterable<unknown>) => Future<unknown>,
  settle: (member: Deferred<unknown>) => void,
) {
  const members = [deferred(), deferred()];
  return {
    future: combine(members.map(({ future }) => future)),
    settle() {
      for (const member of members.toReversed()) settle(member);
    },
  };
}

function loser(): Settling {
  const [winner, loser] = [deferred(), deferred()];
  Future.race([winner.future, loser.future]);
  return { future: loser.future, settle: () => winner.settler.fulfil('result') };
}

function sleeping(pool: Pool): Settling {
  const future = pool.start(sleep, [60_000]);
  return { future, settle: () => future.cancel() };
}

function aborted(pool: Pool): Settling {
  const controller = new AbortController();
  const future = pool.start(sleep, [60_000], { signal: controller.signal });
  return { future, settle: () => controller.abort() };
}

const fulfil = ({ settler }: Deferred<unknown>) => settler.fulfil('result');
const reject = ({ settler }: Deferred<unknown>) => settler.reject(new Error('on purpose'));
const cancel = ({ future }: { future: Future<unknown> }) => void future.cancel();

/** Each makes a Future that has not settled, and tells how it does. */
export const waysToSettle: readonly Way[] = [
  ['is fulfilled', () => own(fulfil)],
  ['is rejected', () => own(reject)],
  ['is cancelled', () => own(cancel)],
  ['loses a race', loser],
  ['is fulfilled by a pool', (pool) => ({ future: pool.start(noop), settle() {} })],
  ['is rejected by a pool', (pool) => ({ future: pool.start(readFile, ['/no/such/file']), settle() {} })],
  ['is cancelled while its task sleeps', sleeping],
  ['is aborted by a signal', aborted],
  ...Object.entries(combinators).flatMap(([name, combine]): Way[] => [
    [`is fulfilled by ${name}`, () => combined(combine, fulfil)],
    [`is rejected, or not, by ${name}`, () => combined(combine, reject)],
    [`is made by ${name}, and its members are cancelled`, () => combined(combine, cancel)],
    [
      `is made by ${name}, and cancelled itself`,
      () => {
        const { future } = combined(combine, fulfil);
        return { future, settle: () => cancel({ future }) };
      },
    ],
  ]),
];
