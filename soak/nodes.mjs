// @ts-check
/** Other versions of Node, installed on demand below build/node. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where they come from: one npm package of nothing but the binary, for each platform. */
const packageName = `node-${process.platform}-${process.arch}`;

/**
 * @param {string} major
 * @returns the binary of that version
 */
export function nodeBinary(major) {
  if (process.versions.node.split('.')[0] === major) return process.execPath;
  const folder = fileURLToPath(new URL(`../build/node/${major}`, import.meta.url));
  const binary = `${folder}/node_modules/${packageName}/bin/node`;
  if (!existsSync(binary)) {
    console.log(`installing Node ${major} into build/node/${major}`);
    execFileSync('npm', ['install', '--no-save', '--prefix', folder, `${packageName}@${major}`], { stdio: 'pipe' });
  }
  return binary;
}
