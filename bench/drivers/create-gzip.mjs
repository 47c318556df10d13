// @ts-check
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { twoNodeThreads } from './native-peer.mjs';

/** @param {Iterable<Buffer>} chunks */
async function gzipStream(chunks) {
  let bytes = 0;
  for await (const { length } of Readable.from(chunks).pipe(createGzip())) bytes += length;
  return bytes;
}

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'create-gzip',
  label: 'zlib.createGzip',
  group: 'node',
  env: twoNodeThreads,
  open: async () => ({ gzipStream }),
};
