/** A worker_thread that does what it is told: the text of an async function's body, which may use Pool, the operations and the primitives. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'offloop';
import * as ops from 'offloop/ops';
import * as primitives from 'offloop/primitives';

const AsyncFunction = (async () => {}).constructor;
/** What is kept from one deed to the next. */
const kept = {};

parentPort.on('message', async ({ id, body }) => {
  let answer;
  try {
    const deed = new AsyncFunction('Pool', 'ops', 'kept', 'name', 'parentPort', 'primitives', body);
    answer = { value: await deed(Pool, ops, kept, workerData, parentPort, primitives) };
  } catch ({ name, message, code }) {
    answer = { error: { name, message, code } };
  }
  parentPort.postMessage({ id, ...answer });
});
