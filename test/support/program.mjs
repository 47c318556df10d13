// @ts-check
/** Programs that run in a process of their own, with the package as users import it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** How much slower than usual programs may be: under a sanitizer, everything is. */
export const SLOWNESS = Number(process.env.OFFLOOP_TEST_SLOWNESS ?? 1);

/** Few at a time: the machine may have two processors, and a test file beside this one. */
const MOST_AT_ONCE = 2;
let running = 0;
/** @type {Array<() => void>} */
const waiting = [];

/** @type {typeof import('./program.mjs').runProgram} */
export async function runProgram(source, options = {}) {
  while (running === MOST_AT_ONCE) await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  ++running;
  try {
    return await start(source, options);
  } finally {
    --running;
    waiting.shift()?.();
  }
}

/**
 * @param {string | URL} source
 * @param {import('./program.mjs').ProgramOptions} options
 * @returns {Promise<import('./program.mjs').Outcome>}
 */
function start(source, options) {
  const { doorbell = 'loop', kill, timeoutMs = 10_000, flags = [], node = process.execPath } = options;
  const { ownGroup = false, onLine, cwd = packageRoot } = options;
  const program = source instanceof URL ? [fileURLToPath(source)] : ['--input-type=module', '--eval', source];
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(node, [...flags, ...program], {
      cwd,
      env: { ...process.env, OFFLOOP_DOORBELL: doorbell, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), SLOWNESS * timeoutMs);
    let stdout = '';
    let stderr = '';
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (kill && stdout === '') child.kill(kill);
      stdout += text;
      if (!onLine) return;
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const each of lines) onLine(each);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const orphans = ownGroup && hasGroup(/** @type {number} */ (child.pid));
      resolve({ code, signal, stdout, stderr, ms: performance.now() - began, endedAt: Date.now(), orphans });
    });
  });
}

/** @param {number} id */
function hasGroup(id) {
  try {
    return process.kill(-id, 0);
  } catch {
    return false;
  }
}
