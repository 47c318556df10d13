import { expect, expectTypeOf, test } from 'vitest';
import { produce, relay } from '../lib/ops.js';
import { type Message, Queue, type SendingQueue } from '../lib/primitives.js';
import { open } from './support/pools.js';

test('a queue carries messages and nothing else', () => {
  // @ts-expect-error
  const dates = new Queue<Date>();
  // @ts-expect-error
  const nested = new Queue<[number, [number]]>();
  // @ts-expect-error
  const joined = () => Queue.from<() => void>(dates.handle);
  expect([dates, nested, joined]).toHaveLength(3);
  const numbers = new Queue<number>();
  // @ts-expect-error
  expect(() => numbers.send({})).toThrow(TypeError);
  expectTypeOf(new Queue()).toEqualTypeOf<Queue<Message>>();
});

test('what is received is typed as it arrives', async () => {
  const receive = <T extends Message>(queue: Queue<T>) => queue.receive();
  type Of<T extends Message> = Awaited<ReturnType<typeof receive<T>>>;
  expectTypeOf<Of<number>>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Of<'a' | 1n>>().toEqualTypeOf<'a' | 1n | undefined>();
  expectTypeOf<Of<Float64Array>>().toEqualTypeOf<Buffer | undefined>();
  expectTypeOf<Of<ArrayBuffer | null>>().toEqualTypeOf<Buffer | null | undefined>();
  expectTypeOf<Of<[id: number, data: Uint8Array]>>().toEqualTypeOf<[id: number, data: Buffer] | undefined>();
  expectTypeOf<Of<readonly DataView[]>>().toEqualTypeOf<readonly Buffer[] | undefined>();

  const queue = new Queue<readonly [number, Float64Array]>();
  void queue.send([1, new Float64Array(2)]);
  const many = await queue.receiveMany();
  expectTypeOf(many).toEqualTypeOf<(readonly [number, Buffer])[]>();
  expect(many).toEqual([[1, Buffer.alloc(16)]]);
  void queue.send([2, new Float64Array(1)]);
  for await (const item of queue) {
    expectTypeOf(item).toEqualTypeOf<readonly [number, Buffer]>();
    expect(item).toEqual([2, Buffer.alloc(8)]);
    break;
  }
});

test('a task that sends numbers takes a queue that carries them, and others', async () => {
  const pool = open({ threads: 1 });
  const some = new Queue<number | string>();
  await pool.run(produce, [some, 1]);
  await pool.run(produce, [new Queue(), 1]);
  await produce(new Queue<number>(), 1, { pool });
  expectTypeOf<Queue>().toExtend<SendingQueue<number>>();
  expectTypeOf<Queue<string>>().not.toExtend<SendingQueue<number>>();
  expectTypeOf<Queue<1 | 2>>().not.toExtend<SendingQueue<number>>();
  const [numbers, all] = [new Queue<number>(), new Queue()];
  numbers.close();
  expect(await pool.run(relay, [numbers, all])).toBe(0);
});
