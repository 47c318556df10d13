// @ts-check
/** The tests of `npm test` with an instrumented addon: use after free, overflows and the like fail the run. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A package of its own, because the addon is found by where its package lies. It holds build/Release between runs. */
const copy = join(root, 'build/asan/package');
const reports = join(root, 'build/asan/reports');

const LEFT_OUT = new Set(['.git', 'build', 'coverage', 'dist', 'docs', 'node_modules', 'prebuilds']);
const FLAGS = '-fsanitize=address -fno-omit-frame-pointer -g';

/**
 * @param {{ tests: string[] }} options which files of tests, by parts of their names; none: all
 * @returns {Promise<string[]>} faults
 */
export async function soakAsan({ tests }) {
  console.log('asan: builds the instrumented addon in build/asan/package');
  copyPackage();
  build();
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const code = await runTests(tests);
  const faults = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
  if (code !== 0) faults.push(`the tests ended with ${code}`);
  return faults;
}

/** Times are kept, so that make builds only what has changed. */
function copyPackage() {
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(copy)) if (name !== 'build') rmSync(join(copy, name), { recursive: true });
  for (const name of readdirSync(root)) {
    if (!LEFT_OUT.has(name)) cpSync(join(root, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

function build() {
  const env = { ...process.env, CXXFLAGS: FLAGS, LDFLAGS: '-fsanitize=address' };
  const options = /** @type {const} */ ({ cwd: copy, env, stdio: 'pipe' });
  execFileSync(process.execPath, ['scripts/node-gyp.mjs', 'configure', 'build'], options);
  execFileSync('npm', ['run', '--silent', 'compile:ts'], options);
  if (!readFileSync(join(copy, 'build/Release/offloop.node')).includes('__asan_init')) {
    throw new Error('the addon is not instrumented');
  }
}

/**
 * @param {string[]} tests
 * @returns {Promise<number | string | null>} the exit code, or the signal
 */
function runTests(tests) {
  const runtime = execFileSync(process.env.CXX ?? 'g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  if (!isAbsolute(runtime)) throw new Error('the runtime of AddressSanitizer is not installed');
  const env = {
    ...process.env,
    LD_PRELOAD: runtime, // Node is not instrumented, so the runtime must be there first
    OFFLOOP_TEST_SLOWNESS: '8',
    // Node itself leaks. Reports are files, because some tests expect programs to die; and some that memory is given back,
    // which is held for a while here to catch those who use it.
    ASAN_OPTIONS: `detect_leaks=0:quarantine_size_mb=48:halt_on_error=1:exitcode=99:log_path=${join(reports, 'report')}`,
  };
  // Without the test of the tarball: it builds and installs another binary.
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'offloop', '--testTimeout', '120000', ...tests];
  const child = spawn(process.execPath, vitest, { cwd: copy, env, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ?? code));
  });
}
