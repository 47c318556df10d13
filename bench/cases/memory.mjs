// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

const tasks = 1_000_000;
const blocks = 40;
const blockMs = 250;

/** Resident bytes after everything that can be collected is. */
async function residentBytes() {
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc();
    await sleep(20);
  }
  return process.memoryUsage.rss();
}

/** @type {import('../types.d.ts').Case} */
export const memory = {
  name: 'memory',
  title: 'Memory of 1,000,000 queued tasks, promise included (resident set, after gc)',
  drivers: ['offloop-balanced'],
  columns: [
    { metric: 'bytes_per_task', head: 'bytes per queued task', digits: 0 },
    { metric: 'kept_share', head: 'kept after all settled, share of that', digits: 3 },
    { metric: 'before_mib', head: 'before MiB', digits: 0 },
    { metric: 'queued_mib', head: 'queued MiB', digits: 0 },
    { metric: 'after_mib', head: 'after MiB', digits: 0 },
  ],
  quick: true,
  nodeFlags: ['--expose-gc'],
  async measure(driver) {
    const session = await driver.open({ threads: 1, capacity: 1 << 20 });
    await session.noop();
    // Filled first, so that the array that holds the promises is not counted.
    const promises = new Array(tasks).fill(null);
    const before = await residentBytes();

    // The only thread is kept busy by short tasks, the rest of which leave the queue when the measurement is done.
    const unblock = new AbortController();
    const block = Promise.allSettled(Array.from({ length: blocks }, () => session.spin(blockMs, unblock.signal)));
    let blocked = true;
    block.then(() => {
      blocked = false;
    });
    for (let index = 0; index < tasks; index += 1) promises[index] = session.noop();
    const queued = await residentBytes();
    if (!blocked) throw new Error('the tasks began to run before the measurement');

    unblock.abort();
    await block;
    await Promise.all(promises);
    promises.fill(null);
    await sleep(200);
    const after = await residentBytes();
    await session.close?.();
    return {
      bytes_per_task: (queued - before) / tasks,
      kept_share: (after - before) / (queued - before),
      before_mib: before / 2 ** 20,
      queued_mib: queued / 2 ** 20,
      after_mib: after / 2 ** 20,
    };
  },
};
