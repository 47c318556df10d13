import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Message, Queue } from '../lib/primitives.js';
import { rejection } from './support/gate.js';
import { drain, tupleThat } from './support/messages.js';

function bytesThat(does: () => void): Uint8Array {
  return Object.defineProperty(new Uint8Array(2), 'byteLength', {
    get() {
      does();
      return 2;
    },
  });
}

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
