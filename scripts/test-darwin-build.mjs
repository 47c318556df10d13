// Builds the addon and the tests of pollers and wake handles for macOS, on Linux, against Darwin's own headers, looks at what
// came of it, and lints what Darwin compiles of native/platform. Nothing can run here: this finds what would not even start.
// Leaves build/reports/darwin-build.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMachO } from './mach-o.mjs';
import { canRunZig, installZig, zigCxx, zigLib } from './zig.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const reports = join(root, 'build/reports');
const build = join(root, 'build/darwin');
const require = createRequire(import.meta.url);

const machines = ['aarch64', 'x86_64'];
const suites = ['wake', 'poller', 'poller_life'];
const sources = readFileSync(join(root, 'native/sources.txt'), 'utf8').trim().split('\n');
const googleTest = '/usr/src/googletest/googletest'; // where libgtest-dev has it
const linter = 'clang-tidy-19';
const system = (...folders) => folders.flatMap((folder) => ['-isystem', folder]);

/** As in binding.gyp, and every warning is an error. */
const flags = [
  ...['-std=c++20', '-O2', '-fvisibility=hidden', '-Inative', '-Inative/include'],
  ...['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-Wno-missing-field-initializers'],
];
const addonFlags = [
  ...['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
  ...['-DNODE_ADDON_API_DISABLE_DEPRECATED', '-DBUILDING_NODE_EXTENSION'],
  ...system(require('node-api-headers').include_dir, dirname(require.resolve('node-addon-api/napi.h'))),
  ...system(resolve(process.execPath, '../../include/node')), // uv.h
  ...['-shared', '-Wl,-undefined,dynamic_lookup'],
];
const lintChecks = [
  ...['-*', 'clang-diagnostic-*', 'clang-analyzer-*', 'bugprone-*', 'concurrency-*', 'performance-*', 'portability-*'],
  ...['-bugprone-easily-swappable-parameters', '-bugprone-reserved-identifier'],
  ...['-bugprone-unused-return-value', '-performance-no-int-to-ptr'],
];

const total = { passed: 0, failed: 0, skipped: 0, suites: [] };
mkdirSync(reports, { recursive: true });
mkdirSync(build, { recursive: true });
if (canRunZig) {
  installZig();
  for (const machine of machines) {
    suite(`addon-${machine}`, () => testAddon(machine));
    suite(`tests-${machine}`, () => testSuites(machine));
  }
  suite('lint', lint);
} else {
  suite('darwin', () => skip('the compiler for Darwin runs on Linux on x64 only'));
}
writeFileSync(join(reports, 'darwin-build.json'), JSON.stringify({ variant: 'darwin-build', ...total }, null, 2));
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

function testAddon(machine) {
  const addon = join(build, `offloop-${machine}.node`);
  if (!compiles(machine, addon, [...addonFlags, ...sources.map((path) => join('native', path))])) return;
  const found = readMachO(readFileSync(addon));
  const unknown = found.leftToTheHost.filter((symbol) => !/^_(napi|node_api|uv)_/.test(symbol));
  check('is a library', found.kind === 'library', found.kind);
  check('is for this machine', found.machine === machine, found.machine);
  check('is for macOS', found.platform === 'macOS', found.platform);
  check(
    'can be loaded by Node',
    found.exported.includes('_napi_register_module_v1'),
    'napi_register_module_v1 is missing',
  );
  check("leaves nothing to the host but Node-API and libuv's functions", unknown.length === 0, unknown.join(', '));
}

function testSuites(machine) {
  if (!existsSync(googleTest)) return skip('libgtest-dev is not installed');
  const library = ['gtest-all.cc', 'gtest_main.cc'].map((file) => join(googleTest, 'src', file));
  const platform = sources.filter((path) => path.startsWith('platform/')).map((path) => join('native', path));
  const common = ['native/tests/support/faults.cpp', ...platform, ...library];
  const headers = ['-Inative/tests', ...system(join(googleTest, 'include'), googleTest)];
  for (const name of suites) {
    const program = join(build, `${name}_test-${machine}`);
    if (!compiles(machine, program, [...headers, `native/tests/${name}_test.cpp`, ...common])) continue;
    const found = readMachO(readFileSync(program));
    check(`${name} is a program for this machine`, found.kind === 'program' && found.machine === machine, found.kind);
  }
}

function lint() {
  if (spawnSync(linter, ['--version']).status !== 0) return skip(`${linter} is not installed`);
  const resources = spawnSync(linter.replace('tidy-', ''), ['-print-resource-dir'], { encoding: 'utf8' });
  const builtins = join(resources.stdout?.trim() || '/usr/lib/llvm-19/lib/clang/19', 'include');
  // What zig tells the compiler for its own C++ library.
  const library = [
    ...['ABI_VERSION=1', 'ABI_NAMESPACE=__1', 'PSTL_CPU_BACKEND_SERIAL', 'DISABLE_VISIBILITY_ANNOTATIONS'],
    'HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE',
  ].map((define) => `-D_LIBCPP_${define}`);
  const headers = system(
    ...['libcxx/include', 'libcxxabi/include'].map((path) => join(zigLib, path)),
    ...[builtins, join(zigLib, 'libc/include/any-macos-any')],
  );
  const target = ['--target=arm64-apple-macos11', '-nostdinc', '-nostdinc++', ...headers, ...library];
  for (const path of sources.filter((source) => /_(posix|darwin|kqueue|poll|pipe)\.cpp$/.test(source))) {
    const args = ['--quiet', `--checks=${lintChecks}`, '--warnings-as-errors=*', join('native', path), '--'];
    const { status, stdout } = spawnSync(linter, [...args, ...target, ...flags], { cwd: root, encoding: 'utf8' });
    check(path, status === 0, stdout);
  }
}

function compiles(machine, product, args) {
  const { status, stderr, error } = zigCxx(
    ['-target', `${machine}-macos.11.0`, ...flags, ...args, '-o', product],
    root,
  );
  return check(`compiles and links ${product.slice(build.length + 1)}`, status === 0, error?.message ?? stderr);
}

// --- how it is counted ---

function suite(name, run) {
  total.suites.push({ name, passed: 0, failed: 0, skipped: 0 });
  run();
  const { passed, failed, skipped } = total.suites.at(-1);
  console.log(`${name.padEnd(16)}${passed} passed, ${failed} failed, ${skipped} skipped`);
}

function count(what) {
  total[what]++;
  total.suites.at(-1)[what]++;
}

function check(what, holds, otherwise) {
  count(holds ? 'passed' : 'failed');
  if (!holds) console.log(`${total.suites.at(-1).name}, ${what}: no\n${otherwise}`);
  return holds;
}

function skip(why) {
  count('skipped');
  console.log(`skipped: ${why}`);
}
