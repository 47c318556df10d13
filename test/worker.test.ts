import { describe, expect, test } from 'vitest';
import { noop, relay, sleep, spin } from '../lib/ops.js';
import { Queue, Worker } from '../lib/primitives.js';
import { rejection, until } from './support/gate.js';
import { threadNames } from './support/proc.js';
import { runProgram } from './support/program.js';

describe('a worker', () => {
  test('is a thread of its own, by its own name, until it has been joined', async () => {
    const worker = Worker.spawn(relay, [], { name: 'echo/one', stackSize: 256 * 1024 });
    await until(() => threadNames().includes('echo/one'), 'it has begun');
    expect(worker.name).toBe('echo/one');
    expect(worker.state).toBe('running');
    worker.stop();
    expect(worker.state).toBe('stopping');
    await worker.join();
    expect(worker.state).toBe('stopped');
    await until(() => !threadNames().includes('echo/one'), 'the system has taken it away');
  });

  test('receives from its inbox and sends to its outbox', async () => {
    const worker = Worker.spawn(relay, []);
    for (const message of [1, 'two', [3, 'three']]) {
      await worker.inbox.send(message);
      expect(await worker.outbox.receive()).toEqual(message);
    }
    await worker.inbox.send('last');
    worker.inbox.close();
    expect(await worker.join()).toBe(4);
    expect(await worker.outbox.receive()).toBe('last');
    expect(await worker.outbox.receive()).toBeUndefined();
  });

  test('stops where it waits for a message, and where it waits for room', async () => {
    await using empty = Worker.spawn(relay, []);
    await using full = Worker.spawn(relay, [], { outbox: { capacity: 1 } });
    for (const message of [1, 2, 3]) await full.inbox.send(message);
    await until(() => full.inbox.stats().received === 2, 'it waits for room');
    for (const worker of [empty, full]) {
      worker.stop();
      worker.stop();
      expect(await worker.join()).toBeUndefined();
      expect(await rejection(worker.inbox.send(0))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
      expect(worker.outbox.closed).toBe(true);
    }
  });

  test('may run a task that takes no queues, and results in what the task does', async () => {
    const worker = Worker.spawn(noop, []);
    expect(await worker.join()).toBeUndefined();
    expect(worker.state).toBe('stopped');
    worker.stop();
    expect(worker.state).toBe('stopped');
  });

  test('tells whoever joins it how its task has failed', async () => {
    const worker = Worker.spawn(relay, [], { outbox: { capacity: 1, overflow: 'reject' } });
    for (const message of [1, 2]) await worker.inbox.send(message);
    const failed = { name: 'OffloopError', code: 'ERR_OFFLOOP_QUEUE_FULL', task: 'relay' };
    expect(await rejection(worker.join())).toMatchObject(failed);
    expect(await rejection(worker.join({ timeoutMs: 1000 }))).toMatchObject(failed);
    expect(worker.state).toBe('stopped');
  });

  test('goes on when it has not ended in time', async () => {
    const worker = Worker.spawn(relay, [], { name: 'patient' });
    const error = await rejection(worker.join({ timeoutMs: 5 }));
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_TIMEOUT', message: 'patient has not ended in 5 ms' });
    expect(worker.state).toBe('running');
    await worker.inbox.send(1);
    expect(await worker.outbox.receive()).toBe(1);
    worker.stop();
    await worker.join({ timeoutMs: 30_000 });
  });

  test('is stopped before its thread has begun', async () => {
    const workers = Array.from({ length: 8 }, () => Worker.spawn(spin, [60_000]));
    for (const worker of workers) worker.stop();
    for (const worker of workers) expect(await worker.join()).toBeUndefined();
  });

  test('is stopped while its task sleeps', async () => {
    const worker = Worker.spawn(sleep, [60_000]);
    worker.stop();
    expect(await worker.join()).toBeUndefined();
  });

  test.each([
    [() => Worker.spawn(undefined as never, []), /The "task" argument must be a task of offloop/],
    [() => Worker.spawn(spin, 1 as never), /The "args" argument must be an instance of Array/],
    [() => Worker.spawn(spin, ['soon' as never]), /The "ms" argument must be of type number/],
    [() => Worker.spawn(noop, [], { name: 1 as never }), /"options.name" must be of type string/],
    [() => Worker.spawn(noop, [], { stackSize: 1 }), /"options.stackSize" is out of range/],
    [() => Worker.spawn(noop, [], { inbox: { capacity: 0 } }), /"options.inbox.capacity" is out of range/],
    [() => Worker.spawn(noop, [], { outbox: 5 as never }), /"options.outbox" must be of type object/],
    [() => Worker.spawn(noop, []).join({ timeoutMs: -1 }), /"options.timeoutMs" is out of range/],
  ])('is not made by mistake %#', (make, message) => {
    expect(make).toThrow(message);
  });

  test('that is not made after all leaves no pool open', async () => {
    for (let i = 0; i < 5000; ++i) {
      let asked = 0;
      const args = Object.defineProperty([0] as [number], 0, { get: () => (++asked > 1 ? 'soon' : 1) });
      expect(() => Worker.spawn(spin, args)).toThrow(/The "ms" argument must be of type number/);
      if (i % 100 === 0) await new Promise(setImmediate);
    }
  });
});

describe.concurrent('a process', () => {
  const program = (source: string) =>
    runProgram(
      `import { relay, spin } from 'offloop/ops';
       import { Queue, Worker } from 'offloop/primitives';
       ${source}`,
      { timeoutMs: 8000 },
    );

  test.each([
    [
      'stays alive for a worker, and ends when that has ended',
      'const w = Worker.spawn(relay, []); setTimeout(() => w.stop(), 20);',
      0,
    ],
    [
      'exits while workers wait',
      'Worker.spawn(relay, []); Worker.spawn(relay, []); setTimeout(() => process.exit(7), 10);',
      7,
    ],
    ['exits while a worker works', 'Worker.spawn(spin, [60_000]); setTimeout(() => process.exit(7), 10);', 7],
    ['exits right after it has made one', 'Worker.spawn(relay, []); process.exit(7);', 7],
  ])('%s', async (_what, source, code) => {
    const outcome = await program(source);
    expect(outcome).toMatchObject({ code, signal: null, stderr: '' });
    expect(outcome.ms).toBeLessThan(6000);
  });
});

test('workers come and go without leaving anything behind', async () => {
  for (let round = 0; round < 30; ++round) {
    await using worker = Worker.spawn(relay, [], { name: `round/${round}` });
    await worker.inbox.send(round);
    expect(await worker.outbox.receive()).toBe(round);
  }
  await until(() => !threadNames().some((name) => name.startsWith('round/')), 'their threads have ended');
  expect(new Queue().stats().length).toBe(0);
});
