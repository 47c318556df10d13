// @ts-check
import { twoNodeThreads } from './native-peer.mjs';
import { poolDriver } from './offloop.mjs';

/** The same tasks on Node's own pool, one asynchronous work of Node-API for each: what threads of one's own are worth. */
export const driver = poolDriver("offloop on Node's pool", 'offloop-node', {
  env: twoNodeThreads,
  open: (Pool, { capacity }) => Pool.node({ name: 'bench', capacity }),
});
