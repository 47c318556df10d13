// @ts-check
import { lanesPerSecond } from '../measure/load.mjs';

const drivers = [
  'offloop-low',
  'offloop-balanced',
  'offloop-eco',
  'offloop-node',
  'threads-tsfn',
  'async-work',
  'asyncworker',
  'koffi',
  'webcrypto',
  'piscina',
  'tinypool',
  'workerpool',
];
const baselines = ['asyncworker'];
const mebibyte = 1 << 20;

/** Peers only copy the bytes, the most a task without work can do; offloop and Node's digest hash them. */
/** @type {import('../types.d.ts').Case} */
export const smallBytes = {
  name: 'bytes/64',
  title: '64 B in → 32 B out, 256 in flight (offloop and crypto.subtle: SHA-256; the others only copy)',
  drivers,
  columns: [{ metric: 'm_per_s', head: 'M tasks/s', digits: 3 }],
  baselines,
  quick: true,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    const bytes = Buffer.alloc(64, 'offloop');
    await expectLength(session.small(bytes), 32);
    const task = () => session.small(bytes);
    await lanesPerSecond(task, 256, warmMs);
    const perSecond = await lanesPerSecond(task, 256, measureMs);
    await session.close?.();
    return { m_per_s: perSecond / 1e6 };
  },
};

/** @type {import('../types.d.ts').Case} */
export const bulkBytes = {
  name: 'bytes/1MiB',
  title: 'SHA-256 of 1 MiB, 16 in flight',
  drivers,
  columns: [{ metric: 'mib_per_s', head: 'MiB/s', digits: 0 }],
  baselines,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    const bytes = Buffer.alloc(mebibyte, 'offloop');
    await expectLength(session.bulk(bytes), 32);
    const task = () => session.bulk(bytes);
    await lanesPerSecond(task, 16, warmMs);
    const perSecond = await lanesPerSecond(task, 16, measureMs);
    await session.close?.();
    return { mib_per_s: perSecond };
  },
};

/**
 * @param {Promise<Uint8Array>} result
 * @param {number} length
 */
async function expectLength(result, length) {
  const bytes = await result;
  if (bytes.length !== length) throw new Error(`expected ${length} bytes, got ${bytes.length}`);
}
