// @ts-check
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentiles } from '../measure/stats.mjs';

const beatMs = 1;
const turns = 4;

/** Delays of the loop under one condition, gathered over several windows. */
class LoopDelay {
  /** @type {number[]} */
  #lateMicros = [];
  #monitor = monitorEventLoopDelay({ resolution: beatMs });

  /** @param {number} ms */
  async watch(ms) {
    this.#monitor.enable();
    const end = performance.now() + ms;
    for (let before = performance.now(); before < end; ) {
      await sleep(beatMs);
      const after = performance.now();
      this.#lateMicros.push((after - before - beatMs) * 1000);
      before = after;
    }
    this.#monitor.disable();
  }

  /** p99 in µs: how late a 1 ms timer fires, and what Node's own monitor says, which counts the millisecond too. */
  p99() {
    return { late: percentiles(this.#lateMicros, [0.99])[0], monitor: this.#monitor.percentile(99) / 1000 };
  }
}

/** @type {import('../types.d.ts').Case} */
export const loopDelay = {
  name: 'loop-delay',
  title: 'Event-loop delay, p99: how late a 1 ms timer fires (and what monitorEventLoopDelay says)',
  drivers: ['offloop-low', 'offloop-balanced', 'offloop-eco'],
  columns: [
    { metric: 'ratio', head: 'saturated ÷ idle', digits: 2 },
    { metric: 'busy_us', head: 'one thread saturated µs', digits: 0 },
    { metric: 'idle_us', head: 'idle loop µs', digits: 0 },
    { metric: 'busy_monitor_us', head: 'saturated (monitor) µs', digits: 0 },
    { metric: 'idle_monitor_us', head: 'idle (monitor) µs', digits: 0 },
  ],
  quick: true,
  async measure(driver, { measureMs }) {
    const session = await driver.open({ threads: 1 });
    await session.spin(1);
    await new LoopDelay().watch(100);

    const windowMs = measureMs / 2;
    const idle = new LoopDelay();
    const busy = new LoopDelay();
    for (let turn = 0; turn < turns; turn += 1) {
      await idle.watch(windowMs);
      // One task for the whole window: it is the busy thread that is measured, not the delivery of results.
      const saturated = session.spin(windowMs + 20);
      await busy.watch(windowMs);
      await saturated;
    }
    await session.close?.();
    return {
      ratio: busy.p99().late / idle.p99().late,
      busy_us: busy.p99().late,
      idle_us: idle.p99().late,
      busy_monitor_us: busy.p99().monitor,
      idle_monitor_us: idle.p99().monitor,
    };
  },
};
