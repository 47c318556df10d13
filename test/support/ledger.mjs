// @ts-check
/** The ledger: tasks of every kind, in waves, and a count of how often each settled and how. */
import { ALL_KINDS, mayEnd, NODE_POOLS, POOLS, pickKind, pickOptions, pickWork } from './ledger-tasks.mjs';
import { randomNumbers } from './random.mjs';

export { EXPECTED_ENDS } from './ledger-tasks.mjs';

/** How a task ended, by the code of its error. Pools count under the same names. */
const END_OF_CODE = /** @type {Record<string, import('./ledger.mjs').End>} */ ({
  ERR_OFFLOOP_SYSTEM: 'rejected',
  ABORT_ERR: 'cancelled',
  ERR_OFFLOOP_CANCELLED: 'cancelled',
  ERR_OFFLOOP_QUEUE_FULL: 'refused',
  ERR_OFFLOOP_DROPPED: 'dropped',
  ERR_OFFLOOP_DEADLINE: 'expired',
  ERR_OFFLOOP_TIMEOUT: 'timedOut',
});
const ENDS = [.../** @type {const} */ (['fulfilled']), ...new Set(Object.values(END_OF_CODE))];
/** Ends that a task may also meet while it waits in JavaScript, where its pool has not counted it yet. */
const BEFORE_THE_POOL = new Set(['cancelled', 'expired']);

const PATIENCE_MS = 20_000;
const MOST_NAMED = 20;

class Ledger {
  #offloop;
  #tasks;
  #below;
  #onSettled;
  #pools;
  /** By pool: what it does with more than its capacity. @type {string[]} */
  #policies;
  #submitted = 0;
  #settled = 0;
  /** By task: how often it has settled, what it is, and which pool it runs in. */
  #times;
  #kinds;
  #homes;
  /** By pool: how many of its tasks ended so. @type {Array<Record<import('./ledger.mjs').End, number>>} */
  #counts;
  /** Cancellations that come when some of their wave have settled. @type {Array<() => void>} */
  #late = [];
  /** Somebody waits until no more than these are in flight. */
  #target = -1;
  #onTarget = () => {};
  #mistakes = 0;
  /** The first of them. @type {string[]} */
  #named = [];

  /** @param {import('./ledger.mjs').LedgerOptions} options */
  constructor({ offloop, tasks, seed, onNode = false, onSettled = () => {} }) {
    this.#offloop = offloop;
    this.#tasks = tasks;
    this.#below = randomNumbers(seed);
    this.#onSettled = onSettled;
    this.#times = new Uint8Array(tasks);
    this.#kinds = new Uint8Array(tasks);
    this.#homes = new Uint8Array(tasks);
    const Pool =
      /** @type {{ new (options: {}): import('./ledger.mjs').AnyPool, node(options: {}): import('./ledger.mjs').AnyPool }} */ (
        /** @type {unknown} */ (offloop.Pool)
      );
    const pools = onNode ? NODE_POOLS : POOLS;
    this.#policies = pools.map(({ overflow }) => overflow);
    this.#pools = pools.map((options) => (onNode ? Pool.node(options) : new Pool(options)));
    this.#counts = pools.map(() => countOf(() => 0));
  }

  /**
   * @param {number} mostInFlight
   * @returns {Promise<import('./ledger.mjs').Balance>}
   */
  async keep(mostInFlight) {
    const below = this.#below;
    const half = Math.ceil(mostInFlight / 2);
    while (this.#submitted < this.#tasks) {
      for (let wave = Math.min(1 + below(half), this.#tasks - this.#submitted); wave > 0; --wave) this.#submit();
      if (below(2) === 0) await new Promise((turn) => setImmediate(turn));
      else await this.#fallTo(below(this.#inFlight + 1));
      for (const cancel of this.#late.splice(0)) cancel();
      await this.#fallTo(half);
    }
    await this.#fallTo(0);
    await Promise.all(this.#pools.map((pool) => pool.drain()));
    this.#compare();
    await Promise.all(this.#pools.map((pool) => pool.close()));
    const ends = countOf((end) => this.#counts.reduce((total, counts) => total + counts[end], 0));
    return { tasks: this.#tasks, ends, mistakes: this.#mistakes, named: this.#named };
  }

  #submit() {
    const below = this.#below;
    const id = this.#submitted++;
    const kind = pickKind(below);
    const home = below(this.#pools.length);
    this.#kinds[id] = ALL_KINDS.indexOf(kind);
    this.#homes[id] = home;
    const pool = /** @type {import('./ledger.mjs').AnyPool} */ (this.#pools[home]);
    const { task, args, isRight, isEndless } = pickWork(below, this.#offloop, kind, id);
    const options = pickOptions(below, kind);

    /** @type {import('./ledger.mjs').End | undefined} */
    let ended;
    let mustBeCancelled = false;
    /** @type {PromiseLike<unknown>} */
    let run;
    if (kind === 'twice') {
      const job = pool.start(task, args, options);
      run = job;
      this.#cancelSometime(() => {
        mustBeCancelled = job.cancel('once');
        if (mustBeCancelled && ended !== undefined) this.#blame(id, `was cancelled when it was ${ended}`);
        if (job.cancel('twice')) this.#blame(id, 'was cancelled twice');
      }, isEndless);
    } else if (kind === 'cancelled') {
      const controller = new AbortController();
      run = pool.run(task, args, { ...options, signal: controller.signal });
      this.#cancelSometime(() => controller.abort(), isEndless);
    } else {
      run = pool.run(task, args, options);
    }
    const note = (/** @type {import('./ledger.mjs').End} */ end) => {
      ended = end;
      if (mustBeCancelled && end !== 'cancelled') this.#blame(id, `was cancelled, and ${end} then`);
      this.#note(id, end);
    };
    run.then(
      (result) => {
        if (!isRight(result)) this.#blame(id, `has a wrong result: ${String(result).slice(0, 80)}`);
        note('fulfilled');
      },
      (error) => {
        const end = END_OF_CODE[error?.code];
        if (end === undefined) this.#blame(id, `rejected with ${error?.stack ?? error}`);
        note(end ?? 'rejected');
      },
    );
  }

  /**
   * @param {() => void} cancel
   * @param {boolean} [isEndless] nothing behind it settles before it is cancelled
   */
  #cancelSometime(cancel, isEndless) {
    const when = this.#below(3);
    if (when === 0) cancel();
    else if (when === 1) queueMicrotask(cancel);
    else if (isEndless) setTimeout(cancel, this.#below(5));
    else this.#late.push(cancel);
  }

  /**
   * @param {number} id
   * @param {import('./ledger.mjs').End} end
   */
  #note(id, end) {
    const home = /** @type {number} */ (this.#homes[id]);
    if (!mayEnd(this.#kindOf(id), this.#policies[home] ?? '', end)) this.#blame(id, `was ${end}`);
    this.#times[id] = /** @type {number} */ (this.#times[id]) + 1;
    /** @type {Record<import('./ledger.mjs').End, number>} */ (this.#counts[home])[end]++;
    this.#onSettled(++this.#settled);
    if (this.#inFlight <= this.#target) this.#onTarget();
  }

  get #inFlight() {
    return this.#submitted - this.#settled;
  }

  /**
   * Resolves when at most so many are in flight; rejects when nothing settles for too long.
   * @param {number} target
   */
  async #fallTo(target) {
    if (this.#inFlight <= target) return;
    this.#target = target;
    let seen = -1;
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    try {
      await new Promise((resolve, reject) => {
        this.#onTarget = () => resolve(undefined);
        timer = setInterval(() => {
          if (seen === this.#settled) reject(new Error(this.#describeStuck()));
          seen = this.#settled;
        }, PATIENCE_MS);
      });
    } finally {
      clearInterval(timer);
      this.#target = -1;
    }
  }

  /** Every task has settled once, and the pools say what the tasks do. */
  #compare() {
    for (let id = 0; id < this.#tasks; ++id) {
      if (this.#times[id] !== 1) this.#blame(id, `settled ${this.#times[id]} times`);
    }
    this.#pools.forEach((pool, home) => {
      const stats = /** @type {Record<string, unknown>} */ ({ ...pool.stats() });
      const policy = this.#policies[home];
      for (const [end, own] of Object.entries(this.#counts[home] ?? {})) {
        const counted = countedAs(end, stats);
        const agrees = policy === 'wait' && BEFORE_THE_POOL.has(end) ? counted <= own : counted === own;
        if (!agrees) this.#accuse(`pool ${home} (${policy}) counts ${counted} as ${end}, and ${own} tasks were`);
      }
      for (const key of ['queued', 'waiting', 'inFlight']) {
        if (stats[key] !== 0) this.#accuse(`pool ${home} (${policy}) has ${stats[key]} ${key} when all have settled`);
      }
    });
  }

  #describeStuck() {
    const stuck = [];
    for (let id = 0; id < this.#submitted; ++id) if (this.#times[id] === 0) stuck.push(id);
    return [
      `nothing settles, and these ${stuck.length} tasks are in flight:`,
      ...stuck.slice(0, MOST_NAMED).map((id) => this.#describe(id)),
      ...this.#pools.map((pool) => JSON.stringify(pool.stats())),
    ].join('\n');
  }

  /** @param {number} id */
  #kindOf(id) {
    return /** @type {import('./ledger.mjs').Kind} */ (ALL_KINDS[/** @type {number} */ (this.#kinds[id])]);
  }

  /** @param {number} id */
  #describe(id) {
    const home = /** @type {number} */ (this.#homes[id]);
    return `task ${id} (${this.#kindOf(id)}, in pool ${home}: ${this.#policies[home]})`;
  }

  /**
   * @param {number} id
   * @param {string} what
   */
  #blame(id, what) {
    this.#accuse(`${this.#describe(id)} ${what}`);
  }

  /** @param {string} mistake */
  #accuse(mistake) {
    if (++this.#mistakes <= MOST_NAMED) this.#named.push(mistake);
  }
}

/**
 * What is rejected in a pool's words is timed out in some of the cases.
 * @param {string} end
 * @param {Record<string, unknown>} stats
 */
function countedAs(end, stats) {
  const count = Number(stats[end] ?? 0);
  return end === 'rejected' ? count - Number(stats.timedOut ?? 0) : count;
}

/**
 * @param {(end: import('./ledger.mjs').End) => number} count
 * @returns {Record<import('./ledger.mjs').End, number>}
 */
function countOf(count) {
  return /** @type {Record<import('./ledger.mjs').End, number>} */ (
    Object.fromEntries(ENDS.map((end) => [end, count(end)]))
  );
}

/** @type {typeof import('./ledger.mjs').keepLedger} */
export function keepLedger({ mostInFlight = 20_000, ...options }) {
  return new Ledger(options).keep(mostInFlight);
}
