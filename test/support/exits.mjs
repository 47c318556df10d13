// @ts-check
/** The exit matrix: every state that an environment can be in, times every way to end. */
import { runProgram, SLOWNESS } from './program.mjs';

export const STATES = /** @type {const} */ (['idle', 'queued', 'running', 'pools']);

/** How a process ends from each of them; `worker`: a worker_thread ends so, and the process by itself, with code 0. */
const endings = {
  'falls off the end': { how: 'fall', code: 0 },
  'calls process.exit': { how: 'exit', code: 7 },
  throws: { how: 'throw', code: 1 },
  'leaves a rejection': { how: 'reject', code: 1 },
  'gets a SIGTERM': { how: 'wait', signal: 'SIGTERM' },
  'gets a SIGINT': { how: 'wait', signal: 'SIGINT' },
  'terminates a worker': { how: 'terminate', code: 0, worker: 1 },
  'has a worker that calls process.exit': { how: 'exit', code: 0, worker: 5 },
};
export const ENDINGS = /** @type {import('./exits.mjs').Ending[]} */ (Object.keys(endings));

/** What is never waited for goes on for so long that waiting would show. */
const LONG_MS = 5000;

/** @type {Record<import('./exits.mjs').State, (facts: import('./exits.mjs').Facts) => boolean>} */
const isIn = {
  idle: ({ accepted, inFlight }) => accepted + inFlight === 0,
  queued: ({ queued }) => queued > 5000,
  running: ({ running }) => running === 1,
  pools: ({ inFlight, running }) => inFlight > 64 && running > 0,
};

const thrown = /^file:\S+\n.*\n +\^\n\nError: on purpose\n(?: {4}at .*\n)+\nNode\.js v[\d.]+\n$/;

/** @type {typeof import('./exits.mjs').endOnce} */
export async function endOnce(state, ending, { doorbell, waitMs, limitMs, node }) {
  const { how, code = null, signal = null, worker } = /** @type {import('./exits.mjs').Expected} */ (endings[ending]);
  const waits = how === 'fall';
  const ms = waits ? waitMs : LONG_MS;
  const end = worker === undefined ? 'endMain' : 'endWorker';
  const outcome = await runProgram(
    `import { ${end} } from './test/support/exits-program.mjs'; await ${end}('${state}', '${how}', ${ms});`,
    { doorbell, node, ownGroup: true, timeoutMs: 30_000, ...(signal && { kill: signal }) },
  );
  /** @type {string[]} */
  const faults = [];
  const expect = (/** @type {boolean} */ holds, /** @type {string} */ fault) => void (holds || faults.push(fault));

  expect(outcome.code === code && outcome.signal === signal, `ended with ${outcome.signal ?? outcome.code}`);
  const isUsual = how === 'throw' || how === 'reject' ? thrown.test(outcome.stderr) : outcome.stderr === '';
  expect(isUsual, `printed on stderr: ${outcome.stderr}`);
  expect(!outcome.orphans, 'left a process behind');
  const [before, after] = readFacts(outcome.stdout);
  if (before === undefined) return { faults: [...faults, 'ended before it was asked to'], ms: outcome.ms };

  expect(isIn[state](before), `was not ${state}: ${JSON.stringify(before)}`);
  // A worker_thread ends when nothing is left of it. What is waited for is over when the last task has settled.
  const endedAt = worker === undefined || after === undefined ? outcome.endedAt : after.at;
  const took = endedAt - Math.max(before.at, waits ? (after?.lastAt ?? 0) : 0);
  expect(took < SLOWNESS * limitMs, `took ${took} ms to end`);
  if (signal) return { faults, ms: took };

  if (after === undefined) faults.push('ended without telling how far it had come');
  else if (worker !== undefined) {
    expect(after.code === worker, `its worker ended with code ${after.code}`);
    expect(after.threads?.length === 0, `has threads left: ${after.threads}`);
    expect(after.descriptors?.length === 0, `has descriptors left: ${after.descriptors}`);
  } else {
    const { accepted, settled } = after;
    if (waits) expect(settled === accepted, `ended when ${settled} of ${accepted} tasks had settled`);
    else expect(settled < accepted || state === 'idle', `waited for all of ${accepted} tasks`);
  }
  return { faults, ms: took };
}

/**
 * @param {string} printed
 * @returns {Array<import('./exits.mjs').Facts | undefined>}
 */
function readFacts(printed) {
  const lines = printed.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}
