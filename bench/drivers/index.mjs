// @ts-check
import { driver as asyncIterator } from './async-iterator.mjs';
import { driver as asyncWork } from './async-work.mjs';
import { driver as asyncworker } from './asyncworker.mjs';
import { driver as compressionStream } from './compression-stream.mjs';
import { driver as createGzip } from './create-gzip.mjs';
import { driver as fsAccess } from './fs-access.mjs';
import { driver as koffi } from './koffi.mjs';
import { driver as messagePort } from './message-port.mjs';
import { driver as nodePool } from './node-pool.mjs';
import { driver as offloopBalanced } from './offloop-balanced.mjs';
import { driver as offloopEco } from './offloop-eco.mjs';
import { driver as offloopLow } from './offloop-low.mjs';
import { driver as offloopNode } from './offloop-node.mjs';
import { driver as offloopQueue } from './offloop-queue.mjs';
import { driver as offloopTwoPools } from './offloop-two-pools.mjs';
import { driver as piscina } from './piscina.mjs';
import { driver as promiseFloor } from './promise-floor.mjs';
import { driver as threadsTsfn } from './threads-tsfn.mjs';
import { driver as tinypool } from './tinypool.mjs';
import { driver as webcrypto } from './webcrypto.mjs';
import { driver as workerpool } from './workerpool.mjs';

/** In the order of the tables. */
const drivers = [
  offloopLow,
  offloopBalanced,
  offloopEco,
  offloopTwoPools,
  offloopNode,
  threadsTsfn,
  asyncWork,
  asyncworker,
  koffi,
  fsAccess,
  webcrypto,
  nodePool,
  createGzip,
  compressionStream,
  piscina,
  tinypool,
  workerpool,
  promiseFloor,
  offloopQueue,
  messagePort,
  asyncIterator,
];

/** @type {ReadonlyMap<string, import('../types.d.ts').Driver>} */
export const driversByName = new Map(drivers.map((driver) => [driver.name, driver]));
