/** Named pipes, which `node:fs` can open without blocking. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import type { Pipe } from './descriptors.js';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const folder = mkdtempSync(join(tmpdir(), 'offloop-pipes-'));
let made = 0;
const opened = new Set<number>();

function open(path: string, flags: number): number {
  const fd = openSync(path, flags | O_NONBLOCK);
  opened.add(fd);
  return fd;
}

export function close(fd: number): void {
  if (opened.delete(fd)) closeSync(fd);
}

/** The path of a new named pipe. */
function makeFifo(): string {
  const path = join(folder, `${++made}`);
  execFileSync('mkfifo', [path]);
  return path;
}

export function openBoth(): number {
  return open(makeFifo(), O_RDWR);
}

export function openFile(path: string): number {
  return open(path, O_RDONLY);
}

export function openPipe(): Pipe {
  const path = makeFifo();
  const reading = open(path, O_RDONLY);
  return { reading, writing: open(path, O_WRONLY) };
}

export function send(fd: number, bytes = 1): void {
  writeSync(fd, Buffer.alloc(bytes));
}

export function drain(fd: number): number {
  const bytes = Buffer.alloc(4096);
  let count = 0;
  try {
    for (;;) {
      const read = readSync(fd, bytes);
      if (read === 0) return count;
      count += read;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return count;
  }
}

export function fill(fd: number): void {
  try {
    for (;;) send(fd, 4096);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}

afterEach(() => {
  for (const fd of opened) close(fd);
});
afterAll(() => rmSync(folder, { recursive: true }));
