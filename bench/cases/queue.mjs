// @ts-check
import { roundTrips } from '../measure/load.mjs';

const drivers = ['offloop-queue', 'message-port', 'async-iterator'];
const baselines = ['message-port', 'async-iterator'];

/** Between two looks at the clock. */
const messages = 10_000;

/** @type {import('../types.d.ts').Case} */
export const queueThroughput = {
  name: 'queue/throughput',
  title: 'Numbers from one worker_thread to the main thread (the floor has no thread)',
  drivers,
  columns: [{ metric: 'm_per_s', head: 'M messages/s', digits: 2 }],
  baselines,
  quick: true,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    await messagesPerSecond(session.flood, warmMs);
    const perSecond = await messagesPerSecond(session.flood, measureMs);
    await session.close?.();
    return { m_per_s: perSecond / 1e6 };
  },
};

/** @type {import('../types.d.ts').Case} */
export const queueRoundTrip = {
  name: 'queue/round-trip',
  title: 'A number to a worker_thread and back (the floor has no thread)',
  drivers,
  columns: [
    { metric: 'p50_us', head: 'p50 µs', digits: 2 },
    { metric: 'p99_us', head: 'p99 µs', digits: 2 },
  ],
  baselines,
  quick: true,
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    await roundTrips(session.echo, warmMs);
    const { p50, p99 } = await roundTrips(session.echo, measureMs);
    await session.close?.();
    return { p50_us: p50, p99_us: p99 };
  },
};

/**
 * @param {(count: number) => Promise<void>} flood
 * @param {number} ms
 */
async function messagesPerSecond(flood, ms) {
  const start = performance.now();
  const end = start + ms;
  let count = 0;
  let now = start;
  while (now < end) {
    await flood(messages);
    count += messages;
    now = performance.now();
  }
  return (count / (now - start)) * 1000;
}
