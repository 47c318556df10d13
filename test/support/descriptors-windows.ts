/** Loopback connections: what a reactor watches on Windows has to be a socket, or a pipe to read. */
import { afterEach } from 'vitest';
import type { Pipe } from './descriptors.js';
import { closeHandle, closeSocket, connectedSockets, openHandle, receiveBytes, sendBytes } from './windows.js';

const bytes = Buffer.alloc(65_536);
const opened = new Set<number>();
const files = new Set<number>();
/** The other ends of those that have both. */
const others = new Map<number, number>();

function open(): [number, number] {
  const ends = connectedSockets();
  for (const end of ends) opened.add(end);
  return ends;
}

export function openPipe(): Pipe {
  const [reading, writing] = open();
  return { reading, writing };
}

export function openBoth(): number {
  const [fd, other] = open();
  others.set(fd, other);
  return fd;
}

export function openFile(path: string): number {
  const file = openHandle(path);
  files.add(file);
  return file;
}

export function close(fd: number): void {
  if (opened.delete(fd)) closeSocket(fd);
  if (files.delete(fd)) closeHandle(fd);
}

export function send(fd: number, count = 1): void {
  sendBytes(others.get(fd) ?? fd, bytes, count, 0);
}

export function drain(fd: number): number {
  const other = others.get(fd);
  if (other !== undefined) drain(other);
  let count = 0;
  whileThereIsMore(() => {
    const received = receiveBytes(fd, bytes, bytes.length, 0);
    count += Math.max(0, received);
    return received > 0;
  });
  return count;
}

export function fill(fd: number): void {
  if (others.has(fd)) send(fd);
  whileThereIsMore(() => sendBytes(fd, bytes, bytes.length, 0) > 0);
}

/** The network takes its time: what has been sent is on its way for a while. */
function whileThereIsMore(move: () => boolean): void {
  for (let refused = 0; refused < 10; ++refused) {
    while (move()) refused = 0;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

afterEach(() => {
  for (const fd of [...opened, ...files]) close(fd);
  others.clear();
});
