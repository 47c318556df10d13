// Builds for Windows x64 with MinGW, into build/windows/native.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const folder = join(root, 'build/windows');
export const native = join(folder, 'native');
/** Where Debian has the sources of GoogleTest. */
const gtest = '/usr/src/googletest/googletest';

const has = (program) => spawnSync(program, ['--version']).status === 0;

/** Ends the process, and says what to install, where a package of Debian is missing. `more`: which there must be beside. */
export function checkPackages(more = {}) {
  const needed = {
    cmake: has('cmake'),
    'ninja-build': has('ninja'),
    'g++-mingw-w64-x86-64-posix': has('x86_64-w64-mingw32-g++-posix'),
    ...more,
  };
  const missing = Object.keys(needed).filter((name) => !needed[name]);
  if (missing.length > 0) stop(`missing: apt-get install --no-install-recommends ${missing.join(' ')}`);
}

export const hasGoogleTest = () => existsSync(gtest);

/** The addon, build/windows/native/offloop.node, and with `tests` the C++ tests. */
export function build({ tests }) {
  const options = ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', `-DOFFLOOP_TESTS=${tests ? 'ON' : 'OFF'}`];
  const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake/mingw-x64.cmake')}`;
  must('cmake', ['-S', root, '-B', native, toolchain, `-DOFFLOOP_GTEST_SOURCE=${gtest}`, ...options]);
  const jobs = process.env.JOBS ?? String(availableParallelism());
  must('cmake', ['--build', native, '--parallel', jobs]);
  return join(native, 'offloop.node');
}

/** Runs what must succeed, quietly unless it does not. */
export function must(program, args) {
  const run = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status === 0) return run.stdout;
  const said = [run.stdout, run.stderr, run.error?.message].filter(Boolean).join('');
  return stop(`${basename(program)} ${args.join(' ')}\n${said}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
