// @ts-check
import { scrypt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const scryptAsync = promisify(scrypt);

/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'node-pool',
  label: "Node's shared pool",
  group: 'node',
  open: async () => ({
    scrypt: () => scryptAsync('password', 'salt', 64),
    lookup: (host) => lookup(host),
    readFile: (path) => readFile(path),
  }),
};
