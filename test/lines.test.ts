import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { lines } from '../lib/primitives.js';
import { rejection, until } from './support/gate.js';
import { threadNames } from './support/proc.js';
import { SLOWNESS } from './support/program.mjs';

const isWindows = process.platform === 'win32';
const folder = mkdtempSync(join(tmpdir(), 'offloop-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function fileOf(contents: string | Buffer): number {
  const path = join(folder, `${++files}`);
  writeFileSync(path, contents);
  return openSync(path, 'r');
}

async function all(input: number, options?: Parameters<typeof lines>[1]): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(input, options)) found.push(line);
  closeSync(input); // stayed open
  return found;
}

async function firstOf(input: number): Promise<string | undefined> {
  for await (const line of lines(input)) return line;
  return undefined;
}

interface Pipe {
  reader: number;
  write(text: string): void;
  close(): void;
}

/** A pipe with a name, to whose other end somebody writes. */
function openPipe(): Promise<Pipe> {
  return isWindows ? openWindowsPipe() : Promise.resolve(openFifo());
}

/** Both ends opened without waiting for each other. */
function openFifo(): Pipe {
  const path = join(folder, `fifo${++files}`);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const writer = openSync(path, 'r+');
  const reader = openSync(path, 'r');
  const close = () => {
    closeSync(reader);
    closeSync(writer);
  };
  return { reader, write: (text) => void writeSync(writer, text), close };
}

async function openWindowsPipe(): Promise<Pipe> {
  const path = `\\\\.\\pipe\\offloop-lines-${process.pid}-${++files}`;
  const server = createServer();
  await once(server.listen(path), 'listening');
  const reader = openSync(path, 'r');
  const [socket] = await once(server, 'connection');
  server.close();
  const close = () => {
    closeSync(reader);
    socket.destroy();
  };
  return { reader, write: (text) => void socket.write(text), close };
}

/** Only Linux tells. */
const flagsOf = (descriptor: number) =>
  isWindows ? '' : /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
const isRead = () => isWindows || threadNames().includes('offloop/lines');

describe('the lines of a file', () => {
  test.each([
    ['no lines', '', []],
    ['one line', 'one\n', ['one']],
    ['a last line without an end', 'one\ntwo', ['one', 'two']],
    ['the ends of other systems', 'one\r\ntwo\rthree\r\nfour\r', ['one', 'two\rthree', 'four\r']],
    ['empty lines', '\n\r\n\n', ['', '', '']],
    ['UTF-8', 'é\n世界\n🌍', ['é', '世界', '🌍']],
    ['zeros', 'a\0b\nc', ['a\0b', 'c']],
  ])('are right for %s', async (_what, contents, expected) => {
    expect(await all(fileOf(contents))).toEqual(expected);
  });

  test('are right across reads, at any length', async () => {
    const expected = Array.from({ length: 3000 }, (_, i) => '世'.repeat(i % 97) + i);
    for (const length of [65_534, 65_535, 65_536, 65_537, 3 << 20]) expected.push('x'.repeat(length));
    expect(await all(fileOf(expected.join('\n')))).toEqual(expected);
  });

  test('may be Latin-1, and what is no UTF-8 is replaced', async () => {
    const bytes = Buffer.from([0x61, 0xe9, 0x0a, 0xff]);
    expect(await all(fileOf(bytes), { encoding: 'latin1' })).toEqual(['aé', 'ÿ']);
    expect(await all(fileOf(bytes))).toEqual(['a\ufffd', '\ufffd']);
  });

  test('may not be longer than 16 MiB', async () => {
    const limit = 16 << 20;
    for (const end of ['', '\n', '\r\n']) {
      const [line] = await all(fileOf('x'.repeat(limit) + end));
      expect(line).toHaveLength(limit);
    }
    const longer = fileOf(`first\n${'x'.repeat(limit + 1)}`);
    const error = await rejection(all(longer));
    expect(error).toMatchObject({
      code: 'ERR_OFFLOOP_TASK_FAILED',
      message: expect.stringContaining(`longer than ${limit} bytes`),
    });
    closeSync(longer);
  });

  test('are none where nothing ever comes', async () => {
    expect(await all(openSync(devNull, 'r'))).toEqual([]);
  });
});

describe('the lines of a pipe', () => {
  test('come as they are written, and are left at any time', async () => {
    const pipe = await openPipe();
    const { reader, write } = pipe;
    const before = flagsOf(reader);
    const iterator = lines(reader);
    const first = iterator.next();
    await until(isRead, 'a thread waits for it');
    write('on');
    write('e\ntwo\nthr');
    expect(await first).toEqual({ value: 'one', done: false });
    expect((await iterator.next()).value).toBe('two');
    const pending = iterator.next();
    expect(await iterator.return()).toEqual({ value: undefined, done: true });
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    await until(() => isWindows || !isRead(), 'the thread has ended');
    expect(flagsOf(reader)).toBe(before);
    write('for others\n');
    expect(await firstOf(reader)).toBe('for others');
    pipe.close();
  });

  test('end with an AbortError when they are aborted, whether somebody waits or not', async () => {
    const pipe = await openPipe();
    const { reader, write } = pipe;
    const controller = new AbortController();
    const iterator = lines(reader, { signal: controller.signal });
    write('one\n');
    expect((await iterator.next()).value).toBe('one');
    const pending = rejection(iterator.next());
    controller.abort('enough');
    expect(await pending).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    expect((await iterator.next()).done).toBe(true);
    expect(await rejection(lines(reader, { signal: controller.signal }).next())).toMatchObject({ code: 'ABORT_ERR' });
    write('for others\n');
    expect(await firstOf(reader)).toBe('for others');
    pipe.close();
  });

  test('let their thread end when they are aborted and nobody asks again', async () => {
    const { reader, write, close } = await openPipe();
    const controller = new AbortController();
    const iterator = lines(reader, { signal: controller.signal });
    write('one\n');
    await iterator.next();
    expect(isRead()).toBe(true);
    controller.abort('enough');
    await until(() => isWindows || !isRead(), 'the thread has ended');
    expect(await rejection(iterator.next())).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    expect((await iterator.next()).done).toBe(true);
    close();
  });

  test('leave nothing with a signal that outlives them', async () => {
    const { signal } = new AbortController();
    expect(await all(fileOf('one\ntwo'), { signal })).toEqual(['one', 'two']);
    const input = fileOf('one\ntwo');
    for await (const _ of lines(input, { signal })) break;
    closeSync(input);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('are read no further ahead than is said', async () => {
    const pipe = await openPipe();
    const { reader, write } = pipe;
    const iterator = lines(reader);
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 48; ++i) write(line);
    await iterator.next();
    for (let i = 0; i < 400; ++i) {
      write(line);
      expect((await iterator.next()).value).toHaveLength(1023);
    }
    await iterator.return();
    pipe.close();
  });
});

describe('mistakes', () => {
  test.each([
    [[undefined], /The "input" argument must be of type number or a stream with a descriptor/],
    [[{}], /The "input" argument/],
    [[-1], /"input" is out of range/],
    [[0, { encoding: 'utf16le' }], /"options.encoding" must be one of/],
    [[0, { signal: 1 }], /"options.signal" must be an instance of AbortSignal/],
  ])('are told at once %#', (args, message) => {
    expect(() => lines(...(args as [number]))).toThrow(message as RegExp);
  });

  test('of the system are told by whoever reads', async () => {
    const error = await rejection(lines(99_999).next());
    expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', syscall: 'read', cause: { code: 'EBADF' } });
  });
});

describe.concurrent('standard input', () => {
  const echo = `
    import { lines } from 'offloop/primitives';
    const controller = new AbortController();
    console.log('ready');
    try {
      for await (const line of lines(process.stdin, { signal: controller.signal })) {
        console.log(JSON.stringify(line));
        if (line === 'leave') break;
        if (line === 'abort') setTimeout(() => controller.abort(), 10);
        if (line === 'exit') process.exit(7);
      }
      console.log('end', process.stdin.readableFlowing);
    } catch ({ code }) {
      console.log(code);
    }`;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const program = [process.execPath, '--input-type=module', '--eval', echo];

  /** Runs the program; `write` is called once it is ready. */
  function run(
    command: string[],
    write: (child: ChildProcess) => void,
  ): Promise<{ code: number | null; output: string[] }> {
    const [file = '', ...args] = command;
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
      const timer = setTimeout(() => child.kill('SIGKILL'), SLOWNESS * 10_000);
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        if (output === '') write(child);
        output += text;
      });
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, output: output.split(/\r?\n/).filter((line) => line !== '') });
      });
    });
  }

  test('is read to its end from a pipe', async () => {
    const { code, output } = await run(program, ({ stdin }) => stdin?.end('one\ntwo'));
    expect(output).toEqual(['ready', '"one"', '"two"', 'end null']);
    expect(code).toBe(0);
  });

  test.each([
    ['leave', ['ready', '"leave"', 'end null'], 0],
    ['abort', ['ready', '"abort"', 'ABORT_ERR'], 0],
    ['exit', ['ready', '"exit"'], 7],
  ])('lets the process end in the middle: %s', async (line, expected, expectedCode) => {
    const { code, output } = await run(program, ({ stdin }) => stdin?.write(`${line}\n`)); // and stays open
    expect(output).toEqual(expected);
    expect(code).toBe(expectedCode);
  });

  test('lets the process end when it is aborted and nobody asks again', async () => {
    const source = `
      import { lines } from 'offloop/primitives';
      const controller = new AbortController();
      const iterator = lines(process.stdin, { signal: controller.signal });
      console.log('ready');
      console.log((await iterator.next()).value);
      controller.abort();`;
    const command = [process.execPath, '--input-type=module', '--eval', source];
    const { code, output } = await run(command, ({ stdin }) => stdin?.write('one\n')); // and stays open
    expect(output).toEqual(['ready', 'one']);
    expect(code).toBe(0);
  });

  test('does not keep a process that is killed', async () => {
    const { code } = await run(program, (child) => child.kill('SIGTERM'));
    expect(code).toBeNull();
  });

  test.skipIf(isWindows)('is a terminal that edits its lines itself', async () => {
    const quoted = program.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
    const terminal = ['script', '-qec', `stty -echo; ${quoted}`, '/dev/null'];
    const { code, output } = await run(terminal, ({ stdin }) => stdin?.write('onx\x7fe\ntwo\n\x04'));
    expect(output).toEqual(['ready', '"one"', '"two"', expect.stringMatching(/^end /)]);
    expect(code).toBe(0);
  });
});
