import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { OffloopError } from '../lib/index.js';
import { MESSAGES_WORDS } from '../lib/layout.js';
import { MessageReader, MessageWriter } from '../lib/messages.js';
import type { Message } from '../lib/primitives.js';
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

  test.runIf(totalmem() > 8 * 2 ** 30)('rejects what receives it, and nothing else', async () => {
    const outcome = await runProgram(
      `import { relay } from 'offloop/ops';
       import { Queue } from 'offloop/primitives';
       const long = '世'.repeat(180_000_000); // 540 MB of UTF-8: more than V8 makes a string of
       const queue = new Queue();
       const told = ({ code, message }) => console.log(code, message);
       const send = () => { for (const message of [1, [long], 2, 3]) queue.send(message); };
       send();
       console.log(await queue.receive());
       await queue.receive().catch(told);
       console.log(await queue.receiveMany());
       send();
       console.log(await queue.receiveMany());
       await queue.receiveMany().catch(told);
       console.log(await queue.receiveMany({ max: 2 }));
       const asked = [queue.receive(), queue.receive(), queue.receiveMany()];
       send();
       for (const { value, reason } of await Promise.allSettled(asked)) console.log(value ?? reason.code);
       send();
       try { for await (const value of queue) console.log(value); } catch (error) { told(error); }
       for await (const value of queue) { console.log(value); if (value === 3) break; }
       console.log(queue.stats().length, queue.stats().received);
       send();
       console.log(await queue.receive());
       try { relay(queue, new Queue()); } catch (error) { told(error); } // it cannot go back
       await queue.receive().catch(told);
       queue.close();
       console.log(await relay(queue, new Queue()));`,
      { timeoutMs: 60_000 },
    );
    const lost =
      'ERR_OFFLOOP_UNSUPPORTED a message was lost: its text of 540000000 bytes is longer than a string can be';
    expect(outcome.stderr).toBe('');
    expect(outcome.stdout.trimEnd().split('\n')).toEqual([
      ...['1', lost, '[ 2, 3 ]'],
      ...['[ 1 ]', lost, '[ 2, 3 ]'],
      ...['1', 'ERR_OFFLOOP_UNSUPPORTED', '[ 2, 3 ]'],
      ...['1', lost, '2', '3'],
      '0 16',
      ...['1', lost, lost, '2'],
    ]);
  });
});
