// @ts-check
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** @typedef {{ files: number, megabytes: number, largest: number }} Limits megabytes and largest in MB of 1,000,000 bytes */
/** @typedef {{ help: boolean, folder: string, limits: Limits, threads: number }} DemoOptions */

/** The command line is wrong, not the folder. */
export class UsageError extends Error {}

const defaults = Object.freeze({ files: '10000', megabytes: '250', largest: '32', threads: '4' });

export const usage = `Hashes and gzips every file of a folder three ways, while a 1 ms heartbeat measures the delay of the event loop.

  npm run demo [folder]                 the folder (default: this project, with node_modules)
  npm run demo -- [options] [folder]

  --files N        take at most N files (${defaults.files})
  --megabytes N    take at most N MB in all (${defaults.megabytes})
  --largest N      leave out files larger than N MB (${defaults.largest})
  --threads N      threads of libuv's pool, and of offloop's, at least 2 (${defaults.threads}, as in Node by default)
  --help           print this

Symbolic links, sockets, pipes, devices and .git are passed over. Nothing is written.`;

/**
 * @param {string[]} args
 * @returns {DemoOptions}
 */
export function readOptions(args) {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError(`one folder at a time, not ${positionals.length}`);
  const folder = positionals[0];
  return {
    help: values.help ?? false,
    folder: folder === undefined ? projectFolder() : resolve(callerFolder(), folder),
    limits: {
      files: whole('files', values.files),
      megabytes: whole('megabytes', values.megabytes),
      largest: whole('largest', values.largest),
    },
    threads: whole('threads', values.threads, 2, 1024),
  };
}

/**
 * @param {string} folder
 * @throws {Error} when there is no such folder
 */
export function checkFolder(folder) {
  const info = statSync(folder, { throwIfNoEntry: false });
  if (!info) throw new Error(`no such folder: ${folder}`);
  if (!info.isDirectory()) throw new Error(`not a folder: ${folder}`);
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        files: { type: 'string', default: defaults.files },
        megabytes: { type: 'string', default: defaults.megabytes },
        largest: { type: 'string', default: defaults.largest },
        threads: { type: 'string', default: defaults.threads },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [what] = String(error instanceof Error ? error.message : error).split('. ');
    throw new UsageError(`${what} (see --help)`);
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function whole(name, text, least = 1, most = Number.MAX_SAFE_INTEGER) {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < least || value > most) {
    throw new UsageError(`--${name} takes a whole number from ${least}, not '${text}' (see --help)`);
  }
  return value;
}

function projectFolder() {
  return fileURLToPath(new URL('../..', import.meta.url));
}

/** npm runs scripts in the project's folder and keeps the caller's in INIT_CWD. */
function callerFolder() {
  const { npm_lifecycle_event: script, INIT_CWD: caller } = process.env;
  return (script === 'demo' && caller) || process.cwd();
}
