import { totalmem } from 'node:os';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OffloopError } from '../lib/index.js';
import { MESSAGES_WORDS } from '../lib/layout.js';
import { relay } from '../lib/ops.js';
import { MessageReader, MessageWriter } from '../lib/primitives/messages.js';
import { queues, reader } from '../lib/primitives/outgoing.js';
import { type Message, Queue } from '../lib/primitives.js';
import { rejection } from './support/gate.js';
import { runProgram } from './support/program.js';

describe('a message that cannot be made', () => {
  test('is read as why, and those around it as they are', () => {
    const memory = new ArrayBuffer(MESSAGES_WORDS * 4);
    const [writer, reader] = [new MessageWriter(memory), new MessageReader(memory)];
    const messages: Message[] = [1, [2, 'x'.repeat(5000), 3], new Uint8Array(5000), 'there', [4]];
    for (const message of messages) writer.write(message);
    const lost = expect.objectContaining({
      code: 'ERR_OFFLOOP_NO_MEMORY',
      message: expect.stringMatching(/no memory/),
    });
    expect(reader.read(5, [])).toEqual([1, lost, lost, 'there', [4]]);
    expect(reader.failed).toBe(true);
    expect(reader.read(5, ['text', 'bytes'])).toEqual([1, [2, 'text', 3], 'bytes', 'there', [4]]);
    expect(reader.failed).toBe(false);
    expect(reader.read(2, [])[1]).toBeInstanceOf(OffloopError);
  });

  test('rejects what receives it, and nothing else', async () => {
    const queue = new Queue();
    const read = vi
      .spyOn(reader, 'read')
      .mockImplementation((count) => MessageReader.prototype.read.call(reader, count, []));
    onTestFinished(() => read.mockRestore());
    const send = () => {
      for (const message of [1, ['x'.repeat(5000)], 2, 3]) void queue.send(message);
    };
    const lost = { name: 'OffloopError', code: 'ERR_OFFLOOP_NO_MEMORY' };
    send();
    expect(await queue.receive()).toBe(1);
    expect(await rejection(queue.receive())).toMatchObject(lost);
    expect(await queue.receiveMany()).toEqual([2, 3]);
    send();
    expect(await queue.receiveMany()).toEqual([1]);
    expect(await rejection(queue.receiveMany())).toMatchObject(lost);
    expect(await queue.receiveMany({ max: 2 })).toEqual([2, 3]);
    const asked = [queue.receive(), rejection(queue.receive()), queue.receiveMany()];
    send();
    expect(await Promise.all(asked)).toEqual([1, expect.objectContaining(lost), [2, 3]]);
    send();
    const [iterator, received] = [queue[Symbol.asyncIterator](), [] as unknown[]];
    for (let i = 0; i < 4; ++i)
      received.push(
        await iterator.next().then(
          ({ value }) => value,
          (error) => error.code,
        ),
      );
    expect(received).toEqual([1, lost.code, 2, 3]);
    expect(queue.stats()).toMatchObject({ sent: 16, received: 16, length: 0 });
    send();
    expect(await queue.receive()).toBe(1);
    expect(() => relay(queue, new Queue()), 'it cannot go back').toThrow(expect.objectContaining(lost));
    expect(await rejection(queue.receive())).toMatchObject(lost);
    queue.close();
    expect(await relay(queue, new Queue())).toBe(2);
  });

  test.runIf(totalmem() > 8 * 2 ** 30)(
    'may be a text of more bytes than a string can have',
    { timeout: 90_000 },
    async () => {
      const outcome = await runProgram(
        `import { Queue } from 'offloop/primitives';
       const queue = new Queue();
       for (const message of [1, '世'.repeat(180_000_000), 2]) queue.send(message); // 540 MB of UTF-8
       console.log(await queue.receive());
       await queue.receive().catch(({ code, message }) => console.log(code, message));
       console.log(await queue.receive(), queue.stats().received);`,
        { timeoutMs: 80_000 },
      );
      const lost =
        'ERR_OFFLOOP_UNSUPPORTED a message was lost: its text of 540000000 bytes is longer than a string can be';
      expect(outcome).toMatchObject({ stderr: '', stdout: `1\n${lost}\n2 3\n` });
    },
  );
});

describe('a message for which there is no memory', () => {
  /** Native code answers so, and has given back the room that was promised. */
  function refuseOne() {
    const { commit } = queues;
    vi.spyOn(queues, 'commit').mockImplementationOnce((queue) => {
      commit(queue, 0, 0, 0, undefined);
      return -2;
    });
    onTestFinished(() => void vi.restoreAllMocks());
  }
  const noMemory = { code: 'ERR_OFFLOOP_NO_MEMORY' };
  const long = 'x'.repeat(5000);

  test('rejects when it is sent', async () => {
    const queue = new Queue();
    refuseOne();
    expect(await rejection(queue.send(long))).toMatchObject(noMemory);
    refuseOne();
    expect(() => queue.trySend(long)).toThrow(expect.objectContaining(noMemory));
    await queue.send('the next');
    expect(await queue.receive()).toBe('the next');
  });

  test('takes none along that were accepted before it', async () => {
    const queue = new Queue();
    const accepted = [queue.send(1), queue.send('two')];
    const { commit } = queues;
    // What is no text cannot be copied either.
    vi.spyOn(queues, 'commit').mockImplementationOnce((number, words, count, wanted) =>
      commit(number, words, count, wanted, [undefined]),
    );
    expect(await rejection(queue.send(long))).toMatchObject(noMemory);
    vi.restoreAllMocks();
    await Promise.all([...accepted, queue.send(3)]);
    expect(await queue.receiveMany()).toEqual([1, 'two', 3]);
    expect(queue.stats()).toMatchObject({ sent: 3, received: 3, length: 0 });
  });

  test('rejects when it has waited for room, and lets those behind it in', async () => {
    const queue = new Queue({ capacity: 1 });
    await queue.send('first');
    const refused = rejection(queue.send(long));
    const next = queue.send('next');
    queue.stats(); // hands over
    refuseOne();
    expect(await queue.receive()).toBe('first');
    expect(await refused).toMatchObject(noMemory);
    await next;
    expect(await queue.receive()).toBe('next');
  });
});
