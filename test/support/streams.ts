/** Streams as tests want them. */
import type { ReadableStream, TransformStream, WritableStream } from 'node:stream/web';
import type { Data } from '../../lib/index.js';
import { openDescriptors } from './proc.mjs';
import { randomNumbers } from './random.js';

type Chunk = Uint8Array | string;

/** All that comes out. */
export async function chunksOf<T>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** As one. Text is ASCII here. */
export function joined(chunks: readonly Chunk[]): Buffer {
  return Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
}

export async function bytesFrom(stream: ReadableStream<Chunk>): Promise<Buffer> {
  return joined(await chunksOf(stream));
}

/** A source that has these chunks ready. */
export function streamOf<T>(chunks: Iterable<T>): ReadableStream<T> {
  const { ReadableStream } = process.getBuiltinModule('node:stream/web');
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream<T>({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** What becomes of these chunks. */
export async function sent(chunks: Iterable<Data>, through: TransformStream<Data, Chunk>): Promise<Buffer> {
  return bytesFrom(streamOf(chunks).pipeThrough(through));
}

/** Writes chunks one after another, and closes. */
export async function writeAll<T>(stream: WritableStream<T>, chunks: Iterable<T>): Promise<void> {
  const writer = stream.getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

/** Cuts data into pieces of random sizes, 0 included. */
export function cut(data: Uint8Array, most: number, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += (pieces.at(-1) as Uint8Array).length) {
    pieces.push(data.subarray(at, at + Math.floor(random() * (most + 1))));
  }
  return pieces;
}

/** What takes longest to compress: seconds for each MiB at level 9. */
export function slowToPack(size: number): Uint8Array {
  const random = randomNumbers(1);
  return Uint8Array.from({ length: size }, () => (random() < 0.5 ? 97 : 98));
}

/** Whether this process has the file open. */
export function isOpen(path: string): boolean {
  return openDescriptors().includes(path);
}
