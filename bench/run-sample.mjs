// @ts-check
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('sample.mjs', import.meta.url));
const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const longestMs = 60_000;

/**
 * Measures one (case × driver) in a fresh process. Never rejects: what went wrong is the result.
 * @param {import('./types.d.ts').Case} measured
 * @param {import('./types.d.ts').Driver} driver
 * @param {import('./types.d.ts').Budget} budget
 * @param {AbortSignal} signal
 * @returns {Promise<{ metrics?: import('./types.d.ts').Metrics, failed?: string }>}
 */
export function runSample(measured, driver, budget, signal) {
  const args = [...(measured.nodeFlags ?? []), script, measured.name, driver.name, JSON.stringify(budget)];
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { env: { ...env, ...driver.env }, timeout: longestMs, killSignal: 'SIGKILL', signal },
      (error, stdout, stderr) => resolve(withoutFolder(outcome(error, stdout, stderr))),
    );
  });
}

/**
 * @param {import('node:child_process').ExecFileException | null} error
 * @param {string} stdout
 * @param {string} stderr
 */
function outcome(error, stdout, stderr) {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (line.startsWith('{"failed"')) return JSON.parse(line);
  // Figures from a process that then crashed or hung are not reported as measured.
  if (error?.killed) return { failed: `did not end within ${longestMs / 1000} s` };
  if (error) return { failed: `${error.signal ?? `exit code ${error.code}`}: ${lastLine(stderr)}` };
  if (line === '') return { failed: 'printed nothing' };
  return JSON.parse(line);
}

/**
 * The figures are published: where the package lies on this machine is nobody's business.
 * @param {{ metrics?: import('./types.d.ts').Metrics, failed?: string }} result
 */
function withoutFolder(result) {
  return result.failed === undefined ? result : { failed: result.failed.replaceAll(packageFolder, '') };
}

/** @param {string} text */
function lastLine(text) {
  return (
    text
      .trim()
      .split('\n')
      .findLast((line) => /error|assert|fatal|abort/i.test(line)) ?? 'no message'
  );
}
