// @ts-check
import { burstsPerSecond, lanesPerSecond, roundTrips } from '../measure/load.mjs';

export const emptyTaskDrivers = [
  'offloop-low',
  'offloop-balanced',
  'offloop-eco',
  'offloop-node',
  'threads-tsfn',
  'async-work',
  'asyncworker',
  'koffi',
  'fs-access',
  'piscina',
  'tinypool',
  'workerpool',
  'promise-floor',
];

export const baselines = ['asyncworker', 'promise-floor'];

/** @type {import('../types.d.ts').Case} */
export const emptySerial = {
  name: 'empty/serial',
  title: 'Empty task, one after the other: round trip',
  drivers: emptyTaskDrivers,
  columns: [
    { metric: 'p50_us', head: 'p50 µs', digits: 2 },
    { metric: 'p99_us', head: 'p99 µs', digits: 2 },
  ],
  baselines,
  quick: true,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    await roundTrips(session.noop, warmMs);
    const { p50, p99 } = await roundTrips(session.noop, measureMs);
    await session.close?.();
    return { p50_us: p50, p99_us: p99 };
  },
};

/**
 * @param {number} lanes
 * @returns {import('../types.d.ts').Case}
 */
function emptyInFlight(lanes) {
  return {
    name: `empty/${lanes}`,
    title: `Empty task, ${lanes} in flight`,
    drivers: emptyTaskDrivers,
    columns: [{ metric: 'm_per_s', head: 'M tasks/s', digits: 3 }],
    baselines,
    quick: lanes === 256,
    async measure(driver, { warmMs, measureMs }) {
      const session = await driver.open();
      await lanesPerSecond(session.noop, lanes, warmMs);
      const perSecond = await lanesPerSecond(session.noop, lanes, measureMs);
      await session.close?.();
      return { m_per_s: perSecond / 1e6 };
    },
  };
}

export const empty16 = emptyInFlight(16);
export const empty256 = emptyInFlight(256);
export const empty2048 = emptyInFlight(2048);

const burstSize = 1000;

/** @type {import('../types.d.ts').Case} */
export const emptyBursts = {
  name: 'empty/bursts',
  title: `Empty task, bursts of ${burstSize}`,
  drivers: emptyTaskDrivers,
  columns: [{ metric: 'm_per_s', head: 'M tasks/s', digits: 3 }],
  baselines,
  quick: true,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    await burstsPerSecond(session.noop, burstSize, warmMs);
    const perSecond = await burstsPerSecond(session.noop, burstSize, measureMs);
    await session.close?.();
    return { m_per_s: perSecond / 1e6 };
  },
};
