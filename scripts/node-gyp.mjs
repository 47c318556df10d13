// Runs the local node-gyp against the headers that came with the running Node, so that a build needs no network.
//   node scripts/node-gyp.mjs rebuild [-C folder]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeGypBin = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');

/** The environment of a build: this Node's own headers where it has them, else what npm is told, else node-gyp's download. */
export function buildEnvironment(environment = process.env) {
  const prefix = dirname(process.platform === 'win32' ? process.execPath : dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, 'include/node/common.gypi'));
  return {
    ...environment,
    ...(hasHeaders && { npm_config_nodedir: prefix }),
    JOBS: environment.JOBS ?? 'max',
  };
}

/**
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} the exit status
 */
export function nodeGyp(args, options = {}) {
  const { error, status } = spawnSync(process.execPath, [nodeGypBin, ...args], {
    stdio: 'inherit',
    ...options,
    env: buildEnvironment(options.env),
  });
  if (error) throw error;
  return status ?? 1;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = nodeGyp(process.argv.slice(2));
}
