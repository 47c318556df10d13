// @ts-check
import { twoNodeThreads } from './native-peer.mjs';

/**
 * Sends chunks through a web stream.
 * @param {Iterable<Buffer>} chunks
 * @param {{ readable: ReadableStream<Uint8Array>, writable: WritableStream }} through
 * @returns {Promise<number>} bytes that came out
 */
export async function sentThrough(chunks, through) {
  const iterator = chunks[Symbol.iterator]();
  const source = new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  let bytes = 0;
  for await (const { byteLength } of source.pipeThrough(through)) bytes += byteLength;
  return bytes;
}

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'compression-stream',
  label: 'CompressionStream',
  group: 'node',
  env: twoNodeThreads,
  open: async () => ({ gzipStream: (chunks) => sentThrough(chunks, new CompressionStream('gzip')) }),
};
