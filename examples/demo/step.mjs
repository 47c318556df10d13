// @ts-check
// Every step runs in a process of its own: no step warms up or slows down another, and Ctrl-C need not wait for one.
// (process.exit() waits for all that is queued in libuv's pool; killing a child does not.)

import { fork } from 'node:child_process';

/** @typedef {typeof import('./steps.mjs').steps} Steps */
/** @typedef {(done: number) => void} OnProgress */

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;

/**
 * Runs one function of steps.mjs in a fresh process, and waits until that has ended by itself.
 *
 * @template {keyof Steps} Name
 * @param {Name} name
 * @param {Parameters<Steps[Name]>[0]} input
 * @param {{ threads: number, onProgress?: OnProgress }} options threads: of libuv's pool
 * @returns {Promise<Awaited<ReturnType<Steps[Name]>>>}
 */
export function runStep(name, input, { threads, onProgress }) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./child.mjs', import.meta.url), {
      serialization: 'advanced',
      env: { ...process.env, UV_THREADPOOL_SIZE: String(threads) },
    });
    running = child;
    /** @type {any} */
    let answer;
    child.on('message', (/** @type {any} */ message) => {
      if ('done' in message) onProgress?.(message.done);
      else answer = message;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code !== 0 || !answer) reject(new Error(`the step '${name}' ended with ${signal ?? `code ${code}`}`));
      else if ('error' in answer) reject(new Error(answer.error));
      else resolve(answer.result);
    });
    child.send({ name, input });
  });
}

/** Ends the step that is running, whatever it is in the middle of. */
export function stopStep() {
  running?.kill('SIGKILL');
}
