// @ts-check
import { bulkBytes, smallBytes } from './bytes.mjs';
import { empty16, empty256, empty2048, emptyBursts, emptySerial } from './empty.mjs';
import { idleCpu } from './idle-cpu.mjs';
import { isolation } from './isolation.mjs';
import { loopDelay } from './loop-delay.mjs';
import { memory } from './memory.mjs';
import { queueRoundTrip, queueThroughput } from './queue.mjs';
import { deadlines, priorities } from './scheduling.mjs';
import { startup } from './startup.mjs';
import { gzipStream } from './streams.mjs';

/** In the order of the tables. */
/** @type {readonly import('../types.d.ts').Case[]} */
export const cases = [
  emptySerial,
  empty16,
  empty256,
  empty2048,
  emptyBursts,
  smallBytes,
  bulkBytes,
  loopDelay,
  isolation,
  priorities,
  deadlines,
  queueThroughput,
  queueRoundTrip,
  memory,
  idleCpu,
  startup,
  gzipStream,
];
