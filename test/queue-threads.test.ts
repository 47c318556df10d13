import { describe, expect, test } from 'vitest';
import { Pool } from '../lib/index.js';
import { ROOM_AWAITED } from '../lib/layout.js';
import { produce, relay } from '../lib/ops.js';
import { queues } from '../lib/primitives/outgoing.js';
import { lendToTask } from '../lib/primitives/queue.js';
import { Queue } from '../lib/primitives.js';
import { rejection, until } from './support/gate.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';
import { Thread } from './support/thread.js';

const from = (queue: Queue<never>) => `primitives.Queue.from(${JSON.stringify(queue.handle)})`;

describe('a queue that was handed to other threads', () => {
  test('loses and doubles nothing, and keeps the order of each of four senders', async () => {
    const queue = new Queue<readonly [number, number]>({ capacity: 100 });
    const each = 5_000;
    const done = [0, 1, 2, 3].map((sender) =>
      new Thread('sender').do(`
        const queue = ${from(queue as never)};
        for (let i = 0; i < ${each}; ++i) await queue.send([${sender}, i]);
      `),
    );
    const next = [0, 0, 0, 0];
    let received = 0;
    for await (const [sender, number] of queue) {
      expect(number).toBe(next[sender]);
      next[sender] = number + 1;
      if (++received === 4 * each) break;
    }
    await Promise.all(done);
    expect(next).toEqual([each, each, each, each]);
    const { highWater, ...counts } = queue.stats();
    expect(counts).toEqual({ capacity: 100, sent: 4 * each, received: 4 * each, dropped: 0, length: 0 });
    expect(highWater).toBeLessThanOrEqual(100);
  });

  test('has a sender in another thread wait until there is room', async () => {
    const queue = new Queue<number>({ capacity: 2 });
    const thread = new Thread('sender');
    await thread.do(`
      kept.queue = ${from(queue as never)};
      kept.sent = 0;
      kept.done = (async () => { for (; kept.sent < 5; ++kept.sent) await kept.queue.send(kept.sent); })();
    `);
    await until(() => queue.stats().length === 2, 'it is full');
    expect(await thread.do('return kept.sent')).toBe(2);
    for (let i = 0; i < 5; ++i) expect(await queue.receive()).toBe(i);
    await thread.do('await kept.done');
  });

  test('is received from only in the thread that made it', async () => {
    const queue = new Queue();
    const thread = new Thread('receiver');
    await thread.do(`kept.queue = ${from(queue as never)}`);
    const refused = { code: 'ERR_OFFLOOP_UNSUPPORTED' };
    await expect(thread.do('await kept.queue.receive()')).rejects.toMatchObject(refused);
    await expect(thread.do('await kept.queue.receiveMany()')).rejects.toMatchObject(refused);
    await expect(thread.do('for await (const value of kept.queue);')).rejects.toMatchObject(refused);
  });

  test('gets the first message at once if its receiver sleeps, and the others when the sender has done what it does', async () => {
    const kept = new Queue<number>();
    const thread = new Thread('receiver');
    const handle = await thread.do<{ id: string }>(`
      const [inbox, outbox] = [new primitives.Queue(), ${from(kept as never)}];
      (async () => { for await (const value of inbox) outbox.send(value); })();
      return inbox.handle;
    `);
    const queue = Queue.from<number>(handle);
    const numbers = [lendToTask('queue', queue), lendToTask('kept', kept)] as const;
    const isAwaited = () => {
      const room = queues.reserve(numbers[0], 1);
      queues.commit(numbers[0], 0, 0, 0);
      return (room & ROOM_AWAITED) !== 0;
    };
    const blockUntil = (count: number) => {
      const end = performance.now() + 5000;
      while (queues.counts(numbers[1]).sent < count && performance.now() < end);
      return queues.counts(numbers[1]).sent;
    };
    await until(isAwaited, 'the receiver sleeps');
    void queue.send(1);
    expect(blockUntil(1)).toBe(1);
    await until(isAwaited, 'the receiver sleeps again');
    for (let i = 2; i < 5; ++i) void queue.send(i);
    expect(blockUntil(2)).toBeGreaterThanOrEqual(2);
    queue.stats();
    expect(blockUntil(4)).toBe(4);
  });

  test('can be closed from any of them', async () => {
    const queue = new Queue<number>();
    const thread = new Thread('sender');
    await thread.do(`kept.queue = ${from(queue as never)}; kept.queue.send(1); kept.queue.close();`);
    expect(await queue.receive()).toBe(1);
    expect(await queue.receive()).toBeUndefined();
  });

  test('refuses senders when the thread that made it has ended, those that wait for room too', async () => {
    const thread = new Thread('receiver');
    const handle = await thread.do<{ id: string }>(
      'kept.queue = new primitives.Queue({ capacity: 1 }); return kept.queue.handle',
    );
    const queue = Queue.from<number>(handle);
    await queue.send(1);
    const waiting = rejection(queue.send(2));
    await thread.terminate();
    expect(await waiting).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(await rejection(queue.send(3))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(queue.closed).toBe(true);
  });

  test('gets what a thread has sent that exits at once', async () => {
    const queue = new Queue<number>();
    const thread = new Thread('sender');
    void thread.do(
      `const queue = ${from(queue as never)}; for (let i = 0; i < 3; ++i) queue.send(i); process.exit(4);`,
    );
    expect(await thread.ended()).toBe(4);
    expect(await queue.receiveMany()).toEqual([0, 1, 2]);
  });

  test('has room again when a thread ends that was about to send', async () => {
    const queue = new Queue<number>({ capacity: 8000 });
    const thread = new Thread('sender');
    await thread.do(`kept.queue = ${from(queue as never)}; setTimeout(() => { kept.queue.send(0); for (;;); });`);
    await until(() => !queue.trySend(0), 'it is full but for what the other may still send');
    await thread.terminate();
    await until(() => !queue.trySend(0), 'it is full');
    expect(queue.stats().length).toBe(8000);
  });
});

describe('a queue that a task was given', () => {
  test('gets its messages, at the pace of the receiver', async () => {
    const queue = new Queue<number>({ capacity: 10 });
    const produced = open({ threads: 1 }).run(produce, [queue, 1000]);
    let next = 0;
    for await (const number of queue) {
      expect(number).toBe(next);
      if (++next === 1000) break;
    }
    await produced;
    expect(queue.stats()).toMatchObject({ sent: 1000, highWater: 10 });
  });

  test('is received from by the task until that has ended', async () => {
    const [inbox, outbox] = [new Queue(), new Queue()];
    const relayed = open({ threads: 1 }).run(relay, [inbox, outbox]);
    const messages = [
      1,
      2n,
      'three',
      null,
      undefined,
      true,
      Buffer.from('bytes'),
      [1, 'x'],
      'y'.repeat(5000),
      Buffer.alloc(70_000),
    ];
    for (const message of messages) {
      void inbox.send(message);
      expect(await outbox.receive()).toEqual(message);
    }
    expect(await rejection(inbox.receive())).toMatchObject({ code: 'ERR_OFFLOOP_UNSUPPORTED' });
    inbox.close();
    expect(await relayed).toBe(messages.length);
    expect(await inbox.receive()).toBeUndefined();
  });

  test('gets the task what this thread has taken ahead, and what it has not', async () => {
    const messages = [1, 2n, 'three', null, undefined, true, Buffer.from('six'), [7, 'x'], 'y'.repeat(5000)];
    const more = [Buffer.alloc(70_000, 9), [Buffer.alloc(5000, 1), 'ß'.repeat(4000), 10]];
    const [inbox, outbox] = [new Queue(), new Queue()];
    for (const message of [0, ...messages, ...more]) void inbox.send(message);
    expect(await inbox.receive()).toBe(0);
    const relayed = open({ threads: 1 }).run(relay, [inbox, outbox]);
    void inbox.send('last');
    for (const message of [...messages, ...more, 'last']) expect(await outbox.receive()).toEqual(message);
    inbox.close();
    expect(await relayed).toBe(12);
    expect(inbox.stats()).toMatchObject({ sent: 13, received: 13, dropped: 0, length: 0 });
  });

  test('gets the task hundreds that were taken ahead, in order', async () => {
    const [inbox, outbox] = [new Queue<number>({ capacity: 5000 }), new Queue<number>({ capacity: 5000 })];
    for (let i = 0; i < 3000; ++i) void inbox.send(i);
    for (let i = 0; i < 100; ++i) expect(await inbox.receive()).toBe(i);
    expect(await inbox.receiveMany({ max: 50 })).toHaveLength(50);
    inbox.close();
    expect(await open({ threads: 1 }).run(relay, [inbox, outbox])).toBe(2850);
    outbox.close();
    for (let i = 150; i < 3000; ++i) expect(await outbox.receive()).toBe(i);
    expect(await outbox.receive()).toBeUndefined();
    expect(inbox.stats()).toMatchObject({ sent: 3000, received: 3000, length: 0, highWater: 3000 });
  });

  test('is received from again by this thread, in order, when the task has only sent', async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < 3; ++i) void queue.send(-i);
    expect(await queue.receive()).toBe(-0);
    await open({ threads: 1 }).run(produce, [queue, 2]);
    expect(await queue.receiveMany()).toEqual([-1, -2, 0, 1]);
  });

  test('tells the task that somebody here waits for a message', async () => {
    const queue = new Queue();
    const waiting = queue.receive();
    const failed = rejection(open({ threads: 1 }).run(relay, [queue, new Queue()]));
    expect(await failed).toMatchObject({
      code: 'ERR_OFFLOOP_UNSUPPORTED',
      task: 'relay',
      message: 'relay: somebody else receives from the queue',
    });
    void queue.send(1);
    expect(await waiting).toBe(1);
  });

  test('does not hold up a task that is aborted while it waits for room, or for a message', async () => {
    const pool = open({ threads: 2 });
    const [full, empty] = [new Queue<number>({ capacity: 1 }), new Queue()];
    const controller = new AbortController();
    const { signal } = controller;
    const runs = [pool.run(produce, [full, 10], { signal }), pool.run(relay, [empty, new Queue()], { signal })].map(
      rejection,
    );
    await until(() => full.stats().length === 1, 'one waits');
    controller.abort();
    for (const error of await Promise.all(runs)) expect(error).toMatchObject({ code: 'ABORT_ERR' });
    await pool.drain();
  });

  test('tells the task why a message was refused', async () => {
    const pool = open({ threads: 1 });
    const closed = new Queue<number>();
    closed.close();
    const full = (['reject', 'drop-newest'] as const).map((overflow) => new Queue<number>({ capacity: 1, overflow }));
    const told = [closed, ...full].map(async (queue) => {
      const { code, message } = await rejection(pool.run(produce, [queue, 2]));
      return [code, message];
    });
    expect(await Promise.all(told)).toEqual([
      ['ERR_OFFLOOP_CLOSED', 'produce: refused: the queue is closed'],
      ['ERR_OFFLOOP_QUEUE_FULL', "produce: refused: the queue's capacity is used up"],
      ['ERR_OFFLOOP_DROPPED', "produce: dropped: the queue's capacity is used up"],
    ]);
  });

  test('is not taken for another value', () => {
    expect(() => produce({} as never, 1)).toThrow(/The "to" argument must be an instance of Queue/);
    expect(() => relay(new Queue(), 1 as never)).toThrow(/The "to" argument must be an instance of Queue/);
  });

  test("may be used by Node's own threads, too", async () => {
    const queue = new Queue<number>({ capacity: 10 });
    const pool = Pool.node();
    const controller = new AbortController();
    const run = rejection(pool.run(produce, [queue, 100], { signal: controller.signal }));
    await until(() => queue.stats().length === 10, 'it is full');
    controller.abort();
    expect(await run).toMatchObject({ code: 'ABORT_ERR' });
    await pool.close();
  });
});

describe.concurrent('a process', () => {
  const program = (source: string, timeoutMs = 8000) =>
    runProgram(
      `import { Worker } from 'node:worker_threads';
       import { relay, produce } from 'offloop/ops';
       import { Queue } from 'offloop/primitives';
       const queue = new Queue({ capacity: 10 });
       ${source}`,
      { timeoutMs },
    );

  test.each([
    ['ends beside an idle queue', 'await queue.send(1); queue.handle;', 0],
    [
      'ends with what a receiver waits for',
      'setTimeout(() => queue.send(1).then(() => queue.close()), 20); for await (const v of queue);',
      0,
    ],
    ['exits while somebody waits for a message', 'queue.receive(); setTimeout(() => process.exit(7), 10);', 7],
    [
      'exits while somebody waits for room',
      'for (let i = 0; i < 20; ++i) queue.send(i); setTimeout(() => process.exit(7), 10);',
      7,
    ],
    [
      'exits while tasks wait for both',
      'relay(new Queue(), queue).catch(() => {}); produce(queue, 100).catch(() => {}); setTimeout(() => process.exit(7), 30);',
      7,
    ],
    [
      'ends when those who wait for room are aborted',
      'for (let i = 0; i < 20; ++i) queue.send(i, { signal: AbortSignal.timeout(10) }).catch(() => {});',
      0,
    ],
    ['ends when a wait is aborted', 'await queue.receive({ signal: AbortSignal.timeout(10) }).catch(() => {});', 0],
  ])('%s', async (_what, source, code) => {
    const outcome = await program(source);
    expect(outcome).toMatchObject({ code, signal: null, stderr: '' });
    expect(outcome.ms).toBeLessThan(6000);
  });

  test('survives threads that are terminated while they send and receive', async () => {
    const outcome = await program(
      `
      let received = 0;
      const receiving = (async () => { for await (const value of queue) ++received; })();
      for (let round = 0; round < 4; ++round) {
        const spawn = () => new Worker('./test/support/queue-worker.mjs', { workerData: queue.handle, execArgv: [] });
        const workers = [spawn(), spawn()];
        await Promise.all(workers.map((worker) => new Promise((go, fail) => { worker.once('message', go); worker.once('error', fail); })));
        await new Promise((go) => setTimeout(go, round * 5));
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      queue.close();
      await receiving;
      console.log(received > 0);
    `,
      25_000,
    );
    expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'true\n' });
  });
});

test('a queue is not forgotten by whoever receives from it', async () => {
  const outcome = await runProgram(
    `import { Queue } from 'offloop/primitives';
     const { sender, iterator } = (() => {
       const queue = new Queue();
       return { sender: Queue.from(queue.handle), iterator: queue[Symbol.asyncIterator]() };
     })();
     for (let i = 0; i < 5; ++i) { gc(); await new Promise((go) => setTimeout(go, 5)); new Queue(); }
     await sender.send('still there');
     console.log((await iterator.next()).value);`,
    { flags: ['--expose-gc'] },
  );
  expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: 'still there\n' });
});

test('a queue that is forgotten refuses its senders', async () => {
  const thread = new Thread('maker');
  const handle = await thread.do<{ id: string }>(`
    process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
    kept.gc = process.getBuiltinModule('node:vm').runInNewContext('gc');
    return new primitives.Queue().handle;
  `);
  const sender = Queue.from(handle);
  for (let i = 0; i < 1000 && !sender.closed; ++i) await thread.do('kept.gc(); await new Promise(setImmediate)');
  expect(sender.closed).toBe(true);
});
