import { getEventListeners } from 'node:events';
import { totalmem } from 'node:os';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { queues } from '../lib/primitives/outgoing.js';
import { type Message, Queue, type QueueOptions } from '../lib/primitives.js';
import { rejection } from './support/gate.js';

/** What is in the queue, received one after the other. */
async function drain(queue: Queue): Promise<Message[]> {
  queue.close();
  const values: Message[] = [];
  for await (const value of queue) values.push(value);
  return values;
}

/** Does something while it is read. */
function tupleThat(does: () => void): Message {
  const tuple = [1, 2];
  Object.defineProperty(tuple, 0, {
    get() {
      does();
      return 1;
    },
  });
  return tuple;
}

function bytesThat(does: () => void): Uint8Array {
  return Object.defineProperty(new Uint8Array(2), 'byteLength', {
    get() {
      does();
      return 2;
    },
  });
}

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

describe('a message', () => {
  const bytes = (size: number) => Buffer.alloc(size, 'ab');
  const text = (size: number) => 'x'.repeat(size);
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],
    ['a whole number', 42],
    ['minus zero', -0],
    ['a fraction', 0.1],
    ['NaN', Number.NaN],
    ['the largest bigint', 2n ** 63n - 1n],
    ['the least bigint', -(2n ** 63n)],
    ['no text', ''],
    ['a short text', 'short'],
    ['24 characters', text(24)],
    ['25 characters', text(25)],
    ['text beyond ASCII', 'Grüße, мир, 世界, 🌍'],
    ['1,024 characters of three bytes', '世'.repeat(1024)],
    ['1,025 characters', text(1025)],
    ['megabytes of text', text(3 << 20)],
    ['no bytes', bytes(0)],
    ['a few bytes', bytes(5)],
    ['3,072 bytes', bytes(3072)],
    ['3,073 bytes', bytes(3073)],
    ['64 KiB', bytes(65_536)],
    ['megabytes', bytes(3 << 20)],
    ['an empty tuple', []],
    ['a tuple of everything', [1, 2n, 'three', null, undefined, true, bytes(4), text(5000), bytes(70_000)]],
    ['a tuple of 1,024 texts', Array.from({ length: 1024 }, (_, i) => text(i))],
  ])('may be %s', async (_what, value) => {
    const queue = new Queue();
    void queue.send(value as Message);
    void queue.send('after it');
    const got = await queue.receive();
    if (Buffer.isBuffer(value)) expect(value.equals(got as Buffer)).toBe(true);
    else expect(got).toEqual(value);
    expect(await queue.receive()).toBe('after it');
  });

  test('arrives as a Buffer with memory of its own', async () => {
    const queue = new Queue();
    const sent = new Uint16Array([1, 2, 3]);
    for (const value of [sent, sent.buffer, new DataView(sent.buffer, 2, 2)]) void queue.send(value);
    sent.fill(9);
    for (const length of [6, 6, 2]) {
      const got = (await queue.receive()) as Buffer;
      expect(got).toBeInstanceOf(Buffer);
      expect(got).toHaveLength(length);
      expect(got.buffer.byteLength).toBe(length);
      expect(got[0]).toBe(length === 2 ? 2 : 1);
    }
  });

  test('is a copy also when it waits for room', async () => {
    const queue = new Queue<Message>({ capacity: 1 });
    void queue.send(0);
    const bytes = new Uint8Array([1]);
    const sent = queue.send(bytes);
    bytes[0] = 2;
    expect(await queue.receive()).toBe(0);
    expect(await queue.receive()).toEqual(Buffer.from([1]));
    await sent;
  });

  test.each([
    ['an object', {}, /The "value" argument must be of type number.*Received an instance of Object/],
    ['a function', () => {}, /Received function/],
    ['a symbol', Symbol('s'), /Received type symbol/],
    ['a nested array', [1, [2]], /The property "value\[1\]" must be .*Received an instance of Array/],
    ['a bigint of 65 bits', 2n ** 63n, /The value of "value" is out of range/],
    ['an array that is too long', new Array(1025).fill(0), /The value of "value.length" is out of range/],
  ])('may not be %s, whether there is room or not', async (_what, value, message) => {
    const queue = new Queue({ capacity: 1 });
    for (const send of [() => queue.send(value as never), () => queue.trySend(value as never)]) {
      expect(send).toThrow(message as RegExp);
    }
    expect(queue.trySend('fits')).toBe(true);
    expect(() => queue.send(value as never)).toThrow(message as RegExp);
    expect(await drain(queue)).toEqual(['fits']);
  });

  test('may not be memory that was detached', () => {
    const view = new Uint8Array(8);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    expect(() => new Queue().send(view)).toThrow(/must not be detached/);
  });

  test('may have a getter that sends one itself', async () => {
    const queue = new Queue();
    void queue.send(tupleThat(() => void queue.send('from the getter')));
    expect(await drain(queue)).toEqual(['from the getter', [1, 2]]);
  });

  test('may have a getter that uses queues, this one and others', async () => {
    const [queue, other] = [new Queue({ capacity: 3, overflow: 'reject' }), new Queue()];
    const meddle = () => {
      void other.send('from the getter');
      void queue.send('from the getter');
      expect(queue.stats().length).toBeGreaterThan(0);
    };
    void queue.send(1);
    void queue.send(tupleThat(meddle));
    expect(queue.trySend(bytesThat(meddle))).toBe(false);
    expect(queue.stats()).toMatchObject({ length: 3, highWater: 3 });
    expect(await drain(queue)).toEqual([1, 'from the getter', [1, 2]]);
    expect(await drain(other)).toEqual(['from the getter']);
  });

  test('keeps its turn when a getter of it fills the queue, or closes it', async () => {
    const queue = new Queue({ capacity: 1 });
    const sent = queue.send(tupleThat(() => void queue.send('first')));
    const closed = rejection(queue.send(tupleThat(() => queue.close())));
    expect(await queue.receive()).toBe('first');
    expect(await rejection(sent)).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
    expect(await closed).toMatchObject({ code: 'ERR_OFFLOOP_CLOSED' });
  });

  test('is as long as its bytes are, whatever they say', async () => {
    const queue = new Queue();
    const properties = { byteLength: { value: 5000 }, byteOffset: { value: 1e9 }, buffer: { value: 'none' } };
    for (const size of [0, 3, 64, 65, 3072, 3073]) {
      for (const bytes of [new Uint8Array(size).fill(7), new Int8Array(size).fill(7)]) {
        void queue.send(Object.defineProperties(bytes, properties));
        void queue.send([Object.defineProperties(bytes.slice(), properties), 1]);
        expect(await queue.receive()).toEqual(Buffer.alloc(size, 7));
        expect(await queue.receive()).toEqual([Buffer.alloc(size, 7), 1]);
      }
      void queue.send(Object.defineProperties(new DataView(new ArrayBuffer(size)), properties));
      void queue.send(Object.defineProperties(new ArrayBuffer(size), properties));
      void queue.send(Object.defineProperties(new SharedArrayBuffer(size), properties));
      for (let i = 0; i < 3; ++i) expect(await queue.receive()).toEqual(Buffer.alloc(size));
    }
  });

  test('may be an array that is not what it says', async () => {
    const queue = new Queue();
    const proxy = (length: number) =>
      new Proxy([1, 2], { get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)) });
    expect(() => queue.send(proxy(1e6))).toThrow(/The value of "value.length" is out of range/);
    for (const length of [1, 3, -1, Number.NaN]) void queue.send(proxy(length));
    expect(await drain(queue)).toEqual([[1], [1, 2, undefined], [], []]);
  });

  test.runIf(totalmem() > 8 * 2 ** 30)('may not be bytes of 4 GiB', async () => {
    const queue = new Queue({ capacity: 1 });
    const huge = new Uint8Array(2 ** 32);
    const range =
      /The value of "value(\[1\])?.byteLength" is out of range. It must be <= 4294967295. Received type number/;
    for (const value of [huge, huge.buffer, new DataView(huge.buffer), [0, huge]]) {
      expect(() => queue.send(value)).toThrow(range);
      expect(() => queue.trySend(value)).toThrow(RangeError);
    }
    expect(queue.stats().length).toBe(0);
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
