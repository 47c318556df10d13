// @ts-check
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { twoNodeThreads } from './native-peer.mjs';

const path = fileURLToPath(import.meta.url);

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'fs-access',
  label: 'fs.promises.access',
  group: 'node',
  env: twoNodeThreads,
  open: async () => ({ noop: () => access(path) }),
};
