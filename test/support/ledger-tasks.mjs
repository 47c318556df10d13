// @ts-check
/** What the ledger's tasks are, which pools they run in, and how each may end. */
import { createHash } from 'node:crypto';

/**
 * What may happen to tasks besides being plain, and to how many of a hundred it does.
 * @type {Partial<Record<import('./ledger.mjs').Kind, number>>}
 */
const SHARES = { cancelled: 10, failing: 5, timed: 5, late: 5, twice: 1 };
/** @type {Array<import('./ledger.mjs').Kind>} */
const KINDS = ['cancelled', 'failing', 'timed', 'late', 'twice'];
const POLICIES = ['reject', 'wait', 'drop-oldest', 'drop-newest'];

/** @type {import('./ledger.mjs').AnyPoolOptions[]} */
export const POOLS = [
  { threads: 1, capacity: 50, overflow: 'reject' },
  { threads: 2, capacity: 2000, overflow: 'reject', latency: 'low' },
  { threads: 3, capacity: 100_000, overflow: 'reject', latency: 'eco' },
  { threads: 1, capacity: 100, overflow: 'wait' },
  { threads: 1, capacity: 200, overflow: 'drop-oldest' },
  { threads: 2, capacity: 200, overflow: 'drop-newest' },
];

/** The same in shares in Node's own pool. @type {import('./ledger.mjs').AnyPoolOptions[]} */
export const NODE_POOLS = [
  { capacity: 50, overflow: 'reject' },
  { capacity: 100_000, overflow: 'reject' },
  { capacity: 100, overflow: 'wait' },
  { capacity: 200, overflow: 'drop-oldest' },
  { capacity: 200, overflow: 'drop-newest' },
];

/** Ends of each kind, apart from what its pool does when it is full. @type {Record<string, import('./ledger.mjs').End[]>} */
const ENDS_OF_KIND = {
  plain: ['fulfilled'],
  cancelled: ['fulfilled', 'cancelled'],
  failing: ['rejected'],
  timed: ['timedOut'],
  late: ['fulfilled', 'expired'],
  twice: ['fulfilled', 'cancelled'],
};
/** @type {Record<string, import('./ledger.mjs').End[]>} */
const ENDS_OF_POLICY = { reject: ['refused'], wait: [], 'drop-oldest': ['dropped'], 'drop-newest': ['dropped'] };

/** Every kind; a ledger keeps their numbers. */
export const ALL_KINDS = /** @type {Array<import('./ledger.mjs').Kind>} */ (Object.keys(ENDS_OF_KIND));

/**
 * Whether a task of this kind may end so in a pool with this policy.
 * @param {import('./ledger.mjs').Kind} kind
 * @param {string} policy
 * @param {import('./ledger.mjs').End} end
 */
export function mayEnd(kind, policy, end) {
  return Boolean(ENDS_OF_KIND[kind]?.includes(end) || ENDS_OF_POLICY[policy]?.includes(end));
}

/** Every end that some of many tasks must have met; else the ledger has shown less than it says. */
export const EXPECTED_ENDS = new Set([
  ...['plain', ...KINDS].flatMap((kind) => ENDS_OF_KIND[kind] ?? []),
  ...POLICIES.flatMap((policy) => ENDS_OF_POLICY[policy] ?? []),
]);

/** Longer than anyone waits: nothing but a timeout or a cancellation ends it. */
const FOREVER_MS = 600_000;

const TEXTS = Array.from({ length: 16 }, (_, i) => 'text '.repeat(i * i * 20));
const DIGESTS = TEXTS.map((text) => createHash('md5').update(text).digest('hex'));

/**
 * @param {(below: number) => number} below
 * @returns {import('./ledger.mjs').Kind}
 */
export function pickKind(below) {
  let dice = below(100);
  for (const kind of /** @type {Array<import('./ledger.mjs').Kind>} */ (Object.keys(SHARES))) {
    dice -= SHARES[kind] ?? 0;
    if (dice < 0) return kind;
  }
  return 'plain';
}

/**
 * @param {(below: number) => number} below
 * @param {import('./offloop.js').Offloop} offloop
 * @param {import('./ledger.mjs').Kind} kind
 * @param {number} id
 * @returns {import('./ledger.mjs').Work}
 */
export function pickWork(below, { hash, noop, sleep, spin, toBase64, unlink }, kind, id) {
  const dice = below(100);
  const never = () => false;
  if (kind === 'failing') return { task: unlink, args: [`/no/such/file/${id}`], isRight: never };
  if (kind === 'timed' || (kind !== 'plain' && kind !== 'late' && dice < 20)) {
    return { task: dice % 20 === 0 ? spin : sleep, args: [FOREVER_MS], isRight: never, isEndless: true };
  }
  const isUndefined = (/** @type {unknown} */ result) => result === undefined;
  if (dice < 40) return { task: noop, args: [], isRight: isUndefined };
  if (dice < 75) {
    const text = `task ${id}`; // so its result is nobody else's
    const expected = Buffer.from(text).toString('base64');
    return { task: toBase64, args: [text], isRight: (result) => result === expected };
  }
  if (dice < 93) {
    const which = below(TEXTS.length);
    const isRight = (/** @type {unknown} */ result) =>
      /** @type {Buffer} */ (result).toString('hex') === DIGESTS[which];
    return { task: hash, args: ['md5', TEXTS[which]], isRight };
  }
  if (dice < 98) return { task: sleep, args: [below(5)], isRight: isUndefined };
  return { task: spin, args: [below(50) / 1000], isRight: isUndefined };
}

/**
 * @param {(below: number) => number} below
 * @param {import('./ledger.mjs').Kind} kind
 * @returns {import('./ledger.mjs').AnyRunOptions | undefined}
 */
export function pickOptions(below, kind) {
  if (kind === 'plain' && below(10) < 4) return undefined; // the shortest path
  const input = /** @type {const} */ (['auto', 'copy', 'borrow'])[below(3)];
  return {
    priority: below(256),
    ...(input && { input }),
    ...(kind === 'timed' && { timeoutMs: 1 + below(3) }),
    ...(kind === 'late' && { deadlineMs: 1 + below(2) }),
  };
}
