// @ts-check
import { setTimeout as pause } from 'node:timers/promises';
import { percentiles } from '../measure/stats.mjs';

const taskMs = 2;

/** @type {import('../types.d.ts').Case} */
export const priorities = {
  name: 'priorities',
  title: `'high' tasks while 'low' ones flood the pool at ten times what it can do (one thread, tasks of ${taskMs} ms)`,
  drivers: ['offloop-balanced'],
  columns: [
    { metric: 'high_p99_lengths', head: "time in queue p99, 'high', task lengths", digits: 2 },
    { metric: 'high_p50_lengths', head: 'p50', digits: 2 },
    { metric: 'low_p50_lengths', head: "'low', p50", digits: 0 },
    { metric: 'dropped_share', head: "'low' given up", digits: 2 },
  ],
  quick: true,
  async measure(_driver, { measureMs }) {
    const { Pool } = await import('offloop');
    const { spin } = await import('offloop/ops');
    const pool = new Pool({ name: 'bench', threads: 1, capacity: 100, overflow: 'drop-oldest', agingMs: 60_000 });
    await pool.run(spin, [taskMs]);
    const waits = { high: [], low: [] };
    let flooded = 0;
    let dropped = 0;
    /** @param {'high' | 'low'} priority */
    const start = async (priority) => {
      const job = pool.start(spin, [taskMs], { priority });
      try {
        await job;
        waits[priority].push(job.timing.queuedNs / 1e6 / taskMs);
      } catch {
        dropped += 1;
      }
    };
    const started = [];
    const end = performance.now() + 5 * measureMs;
    for (let beat = 0; performance.now() < end; beat += 1) {
      for (let i = 0; i < 10; i += 1) started.push(start('low'));
      flooded += 10;
      if (beat % 10 === 0) started.push(start('high'));
      await pause(taskMs);
    }
    await Promise.all(started);
    await pool.close();
    const [highP50, highP99] = percentiles(waits.high, [0.5, 0.99]);
    return {
      high_p99_lengths: highP99,
      high_p50_lengths: highP50,
      low_p50_lengths: percentiles(waits.low, [0.5])[0],
      dropped_share: dropped / flooded,
    };
  },
};

const load = 0.9;
const arrivals = 1500;

/** @type {import('../types.d.ts').Case} */
export const deadlines = {
  name: 'deadlines',
  title: `Tasks not begun by their deadline, of ${arrivals} at ${load * 100} % load on one thread: half have 10 ms, half 200 ms`,
  drivers: ['offloop-balanced'],
  columns: [
    { metric: 'ratio', head: 'earliest deadline first ÷ first in, first out', digits: 2 },
    { metric: 'edf_missed', head: 'missed, deadlines known', digits: 0 },
    { metric: 'fifo_missed', head: 'missed, first in, first out', digits: 0 },
  ],
  async measure() {
    const plan = planned();
    const edf = await missed(plan, true);
    const fifo = await missed(plan, false);
    return { ratio: edf / fifo, edf_missed: edf, fifo_missed: fifo };
  },
};

/** The same arrivals, at random times, for both. */
function planned() {
  const tasks = [];
  for (let atMs = 0; tasks.length < arrivals; ) {
    atMs += (-Math.log(1 - Math.random()) * taskMs) / load;
    tasks.push({ atMs, deadlineMs: Math.random() < 0.5 ? 10 : 200 });
  }
  return tasks;
}

/**
 * @param {{ atMs: number, deadlineMs: number }[]} plan
 * @param {boolean} areKnown whether the pool is told of the deadlines
 */
async function missed(plan, areKnown) {
  const { Pool } = await import('offloop');
  const { spin } = await import('offloop/ops');
  const pool = new Pool({ name: 'bench', threads: 1, agingMs: 60_000 });
  await pool.run(spin, [taskMs]);
  let late = 0;
  const jobs = [];
  const began = performance.now();
  for (const { atMs, deadlineMs } of plan) {
    while (performance.now() - began < atMs) await pause(0);
    const job = pool.start(spin, [taskMs * 0.97], areKnown ? { deadlineMs } : {});
    jobs.push(
      job.then(
        () => {
          if (job.timing.queuedNs > deadlineMs * 1e6) late += 1;
        },
        () => {
          late += 1;
        },
      ),
    );
  }
  await Promise.all(jobs);
  await pool.close();
  return late;
}
