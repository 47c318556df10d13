// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { lanesPerSecond } from '../measure/load.mjs';

const idleMs = 1_000;

/** @type {import('../types.d.ts').Case} */
export const idleCpu = {
  name: 'idle-cpu',
  title: 'CPU spent in one idle second right after work (the floor has no pool: it is what Node itself spends)',
  drivers: ['offloop-low', 'offloop-balanced', 'offloop-eco', 'promise-floor'],
  columns: [{ metric: 'core_percent', head: '% of a core', digits: 2 }],
  quick: true,
  async measure(driver, { warmMs }) {
    const session = await driver.open();
    await lanesPerSecond(session.noop, 256, warmMs);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await sleep(idleMs);
    const { user, system } = process.cpuUsage(cpu);
    const elapsedUs = (performance.now() - start) * 1000;
    await session.close?.();
    return { core_percent: ((user + system) / elapsedUs) * 100 };
  },
};
