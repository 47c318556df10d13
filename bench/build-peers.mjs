// @ts-check
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peersAddon } from './drivers/native-peer.mjs';

const run = promisify(execFile);
const peersFolder = fileURLToPath(new URL('peers', import.meta.url));
const nodeGyp = fileURLToPath(new URL('../scripts/node-gyp.mjs', import.meta.url));

/** @param {string} path */
const changedMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isBuilt() {
  const sourceFolder = join(peersFolder, 'src');
  const sources = readdirSync(sourceFolder).map((name) => join(sourceFolder, name));
  const newest = Math.max(...[join(peersFolder, 'binding.gyp'), ...sources].map(changedMs));
  return changedMs(peersAddon) >= newest;
}

/**
 * Builds the native peers when they are missing or older than their sources.
 * @returns {Promise<string | undefined>} why there are none
 */
export async function buildPeers() {
  if (isBuilt()) return undefined;
  process.stderr.write('building bench/peers …\n');
  try {
    await run(process.execPath, [nodeGyp, 'rebuild', '-C', peersFolder], { maxBuffer: 1 << 26 });
    return undefined;
  } catch (error) {
    const cause = error.stderr?.split('\n').find((line) => /error|not found/i.test(line));
    return cause ?? error.message.split('\n')[0];
  }
}
