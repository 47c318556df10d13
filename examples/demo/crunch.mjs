// @ts-check
import { startHeartbeat } from './heartbeat.mjs';

/** @typedef {{ size: number, digest: string, packed: number }} Crunched bytes in, sha256 in hex, bytes after gzip */
/** @typedef {Crunched | { failed: string }} Outcome one per file, in the order of the files */
/** @typedef {{ files: number, bytes: number, seconds: number, delay: import('./summary.mjs').Summary, outcomes: Outcome[] }} Measured */

/**
 * Hashes and gzips every file one way, timed, while the heartbeat listens to the loop.
 *
 * @param {{ way: string, files: import('./survey.mjs').File[], threads: number, inFlight: number }} input
 * @param {import('./step.mjs').OnProgress} onProgress
 * @returns {Promise<Measured>}
 */
export async function crunch({ way, files, threads, inFlight }, onProgress) {
  const { open } = await import(`./ways/${way}.mjs`);
  const { visit, close } = open({ threads });
  /** @type {Outcome[]} */
  const outcomes = new Array(files.length);
  const queue = files.entries(); // Shared: each file goes to the first that is free.
  let bytes = 0;
  let done = 0;

  const takeFiles = async () => {
    for (const [index, { path }] of queue) {
      try {
        const { size, digest, packed } = await visit(path);
        outcomes[index] = { size, digest: Buffer.from(digest).toString('hex'), packed };
        bytes += size;
      } catch (error) {
        outcomes[index] = { failed: error instanceof Error ? error.message : String(error) };
      }
      onProgress(++done);
    }
  };

  const heartbeat = startHeartbeat();
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, takeFiles));
  const seconds = (performance.now() - begin) / 1000;
  const delay = heartbeat.stop();
  await close();
  return { files: files.length, bytes, seconds, delay, outcomes };
}
