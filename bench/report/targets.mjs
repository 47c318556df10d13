// @ts-check

/**
 * @typedef {(caseName: string, driver: string, metric: string) => number} Median NaN when not measured
 * @typedef {{ what: string, atLeast?: number, atMost?: number, unit: string, value: (median: Median) => number }} Rule
 */

/** @type {Rule[]} */
const rules = [
  throughput('empty/256', 'balanced', 'asyncworker', 8),
  throughput('empty/256', 'low', 'asyncworker', 12),
  throughput('empty/bursts', 'balanced', 'asyncworker', 10),
  throughput('empty/bursts', 'low', 'asyncworker', 10),
  throughput('empty/16', 'low', 'asyncworker', 8),
  throughput('empty/256', 'balanced', 'promise-floor', 0.5),
  throughput('empty/256', 'low', 'promise-floor', 0.75),
  serial('balanced', 0.2),
  serial('low', 0.1),
  throughput('bytes/64', 'balanced', 'asyncworker', 5),
  throughput('bytes/64', 'low', 'asyncworker', 5),
  {
    what: "lookup p99 under 64 scrypt jobs: Node's pool ÷ two offloop pools",
    atLeast: 50,
    unit: '×',
    value: (median) =>
      median('isolation', 'node-pool', 'lookup_p99_ms') / median('isolation', 'offloop-two-pools', 'lookup_p99_ms'),
  },
  {
    what: "loop delay p99, one thread saturated ÷ idle ('balanced')",
    atMost: 2,
    unit: '×',
    value: (median) => median('loop-delay', 'offloop-balanced', 'ratio'),
  },
  {
    what: "time in queue p99 of 'high' tasks under a flood of 'low' ones",
    atMost: 2,
    unit: ' task lengths',
    value: (median) => median('priorities', 'offloop-balanced', 'high_p99_lengths'),
  },
  {
    what: 'deadlines missed at 90 % load: earliest deadline first ÷ first in, first out',
    atMost: 0.5,
    unit: '×',
    value: (median) => median('deadlines', 'offloop-balanced', 'ratio'),
  },
  {
    what: 'numbers from a worker_thread to a `for await` loop, M/s',
    atLeast: 3,
    unit: ' M/s',
    value: (median) => median('queue/throughput', 'offloop-queue', 'm_per_s'),
  },
  {
    what: 'numbers from a worker_thread: Queue ÷ MessagePort',
    atLeast: 2,
    unit: '×',
    value: (median) =>
      median('queue/throughput', 'offloop-queue', 'm_per_s') / median('queue/throughput', 'message-port', 'm_per_s'),
  },
  {
    what: 'round trip to a worker_thread p50: Queue ÷ MessagePort',
    atMost: 0.5,
    unit: '×',
    value: (median) =>
      median('queue/round-trip', 'offloop-queue', 'p50_us') / median('queue/round-trip', 'message-port', 'p50_us'),
  },
  {
    what: 'one of 1,000,000 queued tasks, promise included',
    atMost: 600,
    unit: ' bytes',
    value: (median) => median('memory', 'offloop-balanced', 'bytes_per_task'),
  },
  {
    what: 'still held of that after all have settled',
    atMost: 0.25,
    unit: '',
    value: (median) => median('memory', 'offloop-balanced', 'kept_share'),
  },
  {
    what: "idle CPU of 'eco' above an idle Node's, % of a core",
    atMost: 0.2,
    unit: ' %',
    value: (median) => idle(median, 'offloop-eco') - idle(median, 'promise-floor'),
  },
  {
    what: "idle CPU of 'balanced', % of a core",
    atMost: 2,
    unit: ' %',
    value: (median) => idle(median, 'offloop-balanced'),
  },
];

/**
 * @param {string} caseName
 * @param {string} latency
 * @param {string} baseline
 * @param {number} atLeast
 * @returns {Rule}
 */
function throughput(caseName, latency, baseline, atLeast) {
  const driver = `offloop-${latency}`;
  return {
    what: `${caseName} tasks/s: '${latency}' ÷ ${baseline}`,
    atLeast,
    unit: '×',
    value: (median) => median(caseName, driver, 'm_per_s') / median(caseName, baseline, 'm_per_s'),
  };
}

/**
 * @param {string} latency
 * @param {number} atMost
 * @returns {Rule}
 */
function serial(latency, atMost) {
  const p50 = (median, driver) => median('empty/serial', driver, 'p50_us');
  return {
    what: `empty/serial p50: '${latency}' ÷ asyncworker`,
    atMost,
    unit: '×',
    value: (median) => p50(median, `offloop-${latency}`) / p50(median, 'asyncworker'),
  };
}

/**
 * @param {Median} median
 * @param {string} driver
 */
const idle = (median, driver) => median('idle-cpu', driver, 'core_percent');

/**
 * @param {import('../types.d.ts').Summary} summary
 * @returns {import('../types.d.ts').Target[]}
 */
export function checkTargets(summary) {
  const median = (caseName, driver, metric) => summary[caseName]?.[driver]?.[metric]?.median ?? Number.NaN;
  return rules.map(({ what, atLeast, atMost, unit, value }) => {
    const measured = value(median);
    const limit = atLeast === undefined ? `≤ ${atMost}${unit}` : `≥ ${atLeast}${unit}`;
    if (Number.isNaN(measured)) return { what, limit, verdict: 'not measured' };
    const isMet = atLeast === undefined ? measured <= atMost : measured >= atLeast;
    return { what, limit, measured, verdict: isMet ? 'met' : 'not met' };
  });
}
