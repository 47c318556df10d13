import { getEventListeners } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { queues } from '../lib/primitives/outgoing.js';
import { Queue, type QueueOptions } from '../lib/primitives.js';
import { rejection } from './support/gate.js';
import { drain, tupleThat } from './support/messages.js';

describe('a queue', () => {
  test('hands out what was sent, in order, and ends when it has been closed', async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < 1000; ++i) void queue.send(i);
    queue.close();
    const received: number[] = [];
    for await (const value of queue) received.push(value);
    expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(await queue.receive()).toBeUndefined();
    expect(await queue.receiveMany()).toEqual([]);
    expect(queue.closed).toBe(true);
  });

  test('wakes whoever waits, in the order in which they have asked', async () => {
    const queue = new Queue<number>();
    const asked = [queue.receive(), queue.receive(), queue.receiveMany(), queue.receive()];
    for (const value of [1, 2, 3, 4]) void queue.send(value);
    queue.close();
    expect(await Promise.all(asked)).toEqual([1, 2, [3, 4], undefined]);
  });

  test('can be left and gone on with', async () => {
    const queue = new Queue<number>();
    for (const value of [1, 2, 3]) void queue.send(value);
    for await (const value of queue) {
      expect(value).toBe(1);
      break;
    }
    expect(await queue.receive()).toBe(2);
    for await (const value of queue) {
      expect(value).toBe(3);
      break;
    }
  });

  test('hands out as many as are there, and no more than are wanted', async () => {
    const queue = new Queue<number>({ capacity: 4 });
    for (const value of [1, 2, 3, 4]) void queue.send(value);
    expect(await queue.receiveMany({ max: 3 })).toEqual([1, 2, 3]);
    void queue.send(5);
    expect(await queue.receiveMany()).toEqual([4, 5]);
  });

  test('has a wait that is aborted reject, and keeps its messages for the next', async () => {
    const queue = new Queue<string>();
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = rejection(queue.receive({ signal }));
    const next = queue.receive();
    controller.abort('changed my mind');
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR', cause: 'changed my mind' });
    expect(await rejection(queue.receive({ signal }))).toMatchObject({ code: 'ABORT_ERR' });
    void queue.send('there');
    expect(await next).toBe('there');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const { signal: unused } = new AbortController();
    void queue.send('again');
    expect(await queue.receive({ signal: unused })).toBe('again');
    expect(getEventListeners(unused, 'abort')).toEqual([]);
  });

  test('goes on where a test has timers of its own', async () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    onTestFinished(() => void vi.useRealTimers());
    const queue = new Queue<number>({ capacity: 2 ** 20 });
    await setImmediate(); // nothing of other tests is to be handed over
    const commit = vi.spyOn(queues, 'commit');
    onTestFinished(() => commit.mockRestore());
    const { nextTick } = process;
    process.nextTick = () => {};
    queue.trySend(1);
    process.nextTick = nextTick;
    await setImmediate();
    expect(commit).toHaveBeenCalledOnce();
    const end = performance.now() + 10;
    while (performance.now() < end) await queue.send(1);
    queue.close();
    for await (const one of queue) expect(one).toBe(1);
  });

  test('lets timers and sockets have their turn while there are always messages', async () => {
    const queue = new Queue<number>({ capacity: 64 });
    let fired = false;
    void setTimeout(1).then(() => {
      fired = true;
    });
    void queue.send(0);
    for await (const value of queue) {
      if (fired) break;
      void queue.send(value + 1);
    }
    expect(fired).toBe(true);
  });

  test.each(['drop-oldest', 'drop-newest'] as const)(
    "lets timers and sockets have their turn while it is sent to without a wait, where its overflow is '%s'",
    async (overflow) => {
      const queue = new Queue<number>({ capacity: 1000, overflow });
      let fired = 0;
      const timer = setInterval(() => ++fired, 1);
      const end = performance.now() + 5000;
      while (fired < 5 && performance.now() < end) await queue.send(1);
      clearInterval(timer);
      expect(fired).toBeGreaterThanOrEqual(5);
    },
  );

  test('tells of what is accepted at once by one promise, whenever that is', async () => {
    const queue = new Queue<number>({ overflow: 'drop-oldest' });
    const accepted = queue.send(0);
    for (let i = 0; i < 3; ++i) {
      await setTimeout(3);
      expect(queue.send(i)).toBe(accepted);
    }
  });

  test('is a new one whatever else its constructor is given', () => {
    const old = new Queue<number>();
    expect(old.trySend(1)).toBe(true);
    const Constructor = Queue as new (...args: unknown[]) => Queue;
    for (const number of [0, 5, -1, 1e9]) {
      const queue = new Constructor({}, number);
      expect(queue.closed).toBe(false);
      expect(queue.trySend(2)).toBe(true);
      expect(queue.stats()).toMatchObject({ sent: 1, length: 1 });
      queue.close();
    }
    expect(old.stats()).toMatchObject({ sent: 1, length: 1 });
    expect(old.closed).toBe(false);
  });

  test('is the same queue where its own thread joins it', async () => {
    const queue = new Queue<number>({ capacity: 1 });
    const joined = Queue.from<number>(queue.handle);
    expect(joined.handle).toEqual(queue.handle);
    expect(joined.trySend(1)).toBe(true);
    expect(await queue.receive()).toBe(1);
    expect(joined.trySend(2)).toBe(true);
    expect(await joined.receive()).toBe(2);
    expect(queue.trySend(3)).toBe(true);
    const order: number[] = [];
    const waiting = [4, 5].map((value, index) => [joined, queue][index]?.send(value).then(() => order.push(value)));
    for (const value of [3, 4, 5]) expect(await joined.receive()).toBe(value);
    await Promise.all(waiting);
    expect(order).toEqual([4, 5]);
    expect(joined.stats()).toEqual({ capacity: 1, sent: 5, received: 5, dropped: 0, length: 0, highWater: 1 });
  });

  test('is closed by `using`', () => {
    const queue = new Queue();
    queue[Symbol.dispose]();
    expect(queue.closed).toBe(true);
  });
});

describe('a full queue', () => {
  const full = async (overflow: QueueOptions['overflow']) => {
    const queue = new Queue<number>({ capacity: 3, overflow });
    for (const value of [1, 2, 3]) await queue.send(value);
    return queue;
  };

  test("has senders wait where its overflow is 'wait', in order", async () => {
    const queue = await full('wait');
    expect(queue.trySend(4)).toBe(false);
    const order: number[] = [];
    const waiting = [4, 5, 6].map((value) => queue.send(value).then(() => order.push(value)));
    await setImmediate();
    expect(order).toEqual([]);
    expect(await queue.receive()).toBe(1);
    await waiting[0];
    expect(order).toEqual([4]);
    expect(queue.trySend(7), 'others wait').toBe(false);
    for (const value of [2, 3, 4, 5, 6]) expect(await queue.receive()).toBe(value);
    await Promise.all(waiting);
    expect(queue.stats()).toEqual({ capacity: 3, sent: 6, received: 6, dropped: 0, length: 0, highWater: 3 });
  });

  test('is given up by senders whose signal is aborted, and those behind them move up', async () => {
    const queue = await full('wait');
    const { signal: unused } = new AbortController();
    const [first, third] = [new AbortController(), new AbortController()];
    const [one, two, three] = [
      rejection(queue.send(4, { signal: first.signal })),
      queue.send(5, { signal: unused }),
      rejection(queue.send(6, { signal: third.signal })),
    ];
    first.abort('changed my mind');
    expect(await one).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'changed my mind' });
    third.abort();
    expect(await three).toMatchObject({ code: 'ABORT_ERR' });
    expect(await queue.receiveMany({ max: 3 })).toEqual([1, 2, 3]);
    await two;
    await queue.send(7, { signal: unused });
    expect(queue.trySend(8)).toBe(true);
    expect(await rejection(queue.send(9, { signal: first.signal }))).toMatchObject({ code: 'ABORT_ERR' });
    expect(await drain(queue as Queue)).toEqual([5, 7, 8]);
    for (const signal of [unused, first.signal, third.signal]) expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(queue.stats()).toMatchObject({ sent: 6, received: 6 });
  });

  test('is not sent to when the signal is aborted by the message', async () => {
    const queue = await full('wait');
    const controller = new AbortController();
    const sent = (queue as Queue).send(
      tupleThat(() => controller.abort()),
      { signal: controller.signal },
    );
    expect(await rejection(sent)).toMatchObject({ code: 'ABORT_ERR' });
    expect(await drain(queue as Queue)).toEqual([1, 2, 3]);
  });

  test("rejects where it is 'reject', and has room again for each message that is received", async () => {
    const queue = await full('reject');
    expect(await rejection(queue.send(4))).toMatchObject({ name: 'OffloopError', code: 'ERR_OFFLOOP_QUEUE_FULL' });
    expect(queue.trySend(4)).toBe(false);
    expect(await queue.receive()).toBe(1);
    expect(queue.trySend(5)).toBe(true);
    expect(queue.trySend(6)).toBe(false);
    expect(await queue.receiveMany({ max: 2 })).toEqual([2, 3]);
    expect([7, 8, 9].map((value) => queue.trySend(value))).toEqual([true, true, false]);
    expect(queue.stats()).toMatchObject({ sent: 6, received: 3, length: 3, highWater: 3 });
  });

  test("drops the oldest where it is 'drop-oldest'", async () => {
    const queue = await full('drop-oldest');
    expect(await queue.receive()).toBe(1);
    for (const value of [4, 5]) await queue.send(value);
    expect(queue.trySend(6)).toBe(true);
    expect(queue.stats()).toEqual({ capacity: 3, sent: 6, received: 1, dropped: 2, length: 3, highWater: 3 });
    expect(await drain(queue as Queue)).toEqual([4, 5, 6]);
  });

  test("drops the newest where it is 'drop-newest'", async () => {
    const queue = await full('drop-newest');
    await queue.send(4);
    expect(queue.trySend(5)).toBe(false);
    expect(queue.stats()).toEqual({ capacity: 3, sent: 3, received: 0, dropped: 2, length: 3, highWater: 3 });
    expect(await queue.receive()).toBe(1);
    expect(queue.trySend(6)).toBe(true);
    expect(await drain(queue as Queue)).toEqual([2, 3, 6]);
  });

  test('holds exactly its capacity, whatever that is', () => {
    for (const capacity of [1, 2, 7, 8, 9, 100, 1023, 5000]) {
      const queue = new Queue<number>({ capacity, overflow: 'reject' });
      let sent = 0;
      while (queue.trySend(sent)) ++sent;
      expect(sent).toBe(capacity);
      expect(queue.stats()).toMatchObject({ length: capacity, highWater: capacity });
    }
  });
});

describe('a closed queue', () => {
  test('refuses senders, those that wait for room too', async () => {
    const queue = new Queue<number>({ capacity: 1 });
    await queue.send(1);
    const waiting = [queue.send(2), queue.send(3)].map(rejection);
    queue.close();
    queue.close();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(await rejection(queue.send(4))).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(queue.trySend(5)).toBe(false);
    expect(await queue.receive()).toBe(1);
    expect(await queue.receive()).toBeUndefined();
  });

  test('wakes whoever waits for a message', async () => {
    const queue = new Queue();
    const asked = [queue.receive(), queue.receiveMany(), queue[Symbol.asyncIterator]().next()];
    queue.close();
    expect(await Promise.all(asked)).toEqual([undefined, [], { value: undefined, done: true }]);
  });
});

describe('mistakes', () => {
  test.each([
    [{ capacity: 0 }, /"options.capacity" is out of range/],
    [{ capacity: 2 ** 24 + 1 }, /"options.capacity" is out of range/],
    [{ capacity: '1' }, /"options.capacity" must be of type number/],
    [{ overflow: 'explode' }, /"options.overflow" must be one of: 'reject', 'wait', 'drop-oldest', 'drop-newest'/],
    [null, /The "options" argument must be of type object/],
  ])('in the options %j are told at once', (options, message) => {
    expect(() => new Queue(options as never)).toThrow(message);
  });

  test('of our own in the number of a queue reach no memory', () => {
    new Queue();
    const number = queues.open(1, 0);
    queues.release(number);
    for (const none of [-1, number, 1e9]) {
      const { reserve, commit, awaitRoom, take, receive, disclaim, close, isClosed, counts } = queues;
      const uses = [reserve, commit, awaitRoom, take, receive, disclaim, close, isClosed, counts];
      for (const use of [...uses, queues.receivingSignal, queues.sendingSignal]) {
        expect(() => (use as (...args: unknown[]) => void)(none, 0, 0, 0, [])).toThrow('there is no such queue');
      }
      expect(() => queues.publish(none, 'id')).toThrow('there is no such queue');
      queues.release(none);
    }
  });

  test('in what is received and joined are told at once', () => {
    const queue = new Queue();
    expect(() => queue.receive({ signal: 1 as never })).toThrow(/"options.signal" must be an instance of AbortSignal/);
    expect(() => queue.send(1, { signal: 1 as never })).toThrow(/"options.signal" must be an instance of AbortSignal/);
    expect(() => queue.send(1, 1 as never)).toThrow(/"options" argument must be of type object/);
    expect(() => queue.receiveMany({ max: 0 })).toThrow(/"options.max" is out of range/);
    expect(() => Queue.from({} as never)).toThrow(/"handle.id" must be of type string/);
    expect(() => Queue.from(undefined as never)).toThrow(/"handle" argument must be of type object/);
    expect(() => Queue.from({ id: 'guessed' })).toThrow(expect.objectContaining({ code: 'ERR_OFFLOOP_CLOSED' }));
  });
});
