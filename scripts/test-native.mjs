// Builds and runs the C++ tests.
//   node scripts/test-native.mjs [plain] [portable] [asan] [tsan] [suite …]     no variant: all of them; no suite: all
// Leaves build/reports/native-<variant>.json for each variant, and GoogleTest's own reports beside it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const reports = join(root, 'build/reports');
const suiteLimitMs = 180_000;

/** What cmake is told, and why the variant exists. */
const variants = {
  plain: [],
  portable: ['-DOFFLOOP_PORTABLE=ON'],
  asan: ['-DOFFLOOP_SANITIZE=address,undefined'],
  tsan: ['-DOFFLOOP_SANITIZE=thread'],
};

const asked = process.argv.slice(2);
const chosen = Object.keys(variants).filter((name) => asked.includes(name));
const suites = asked.filter((name) => !(name in variants));
const has = (program, ...args) => spawnSync(program, args).status === 0;
const generator = has('ninja', '--version') ? ['-G', 'Ninja'] : [];
// ThreadSanitizer gives up on addresses that are too random.
const fixedAddresses = has('setarch', '-R', 'true') ? ['setarch', '-R'] : [];

if (!has('cmake', '--version')) {
  console.error('cmake is not installed');
  process.exit(1);
}
mkdirSync(reports, { recursive: true });
const totals = (chosen.length > 0 ? chosen : Object.keys(variants)).map(testVariant);
const sum = (key) => totals.reduce((total, each) => total + each[key], 0);
console.log(`C++ tests: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;

function testVariant(variant) {
  const build = join(root, 'build/native', variant);
  // Off unless said: a variant is not what an earlier run of it left in the cache.
  const defaults = ['-DOFFLOOP_PORTABLE=OFF', '-DOFFLOOP_SANITIZE='];
  must('cmake', ['-S', root, '-B', build, ...generator, ...defaults, ...variants[variant]]);
  must('cmake', ['--build', build, '--parallel', String(availableParallelism())]);

  const began = performance.now();
  const total = { passed: 0, failed: 0, skipped: 0, suites: [] };
  for (const { name, command } of JSON.parse(must('ctest', ['--test-dir', build, '--show-only=json-v1'])).tests) {
    if (suites.length > 0 && !suites.includes(name)) continue;
    const result = testSuite(variant, name, command);
    for (const key of ['passed', 'failed', 'skipped']) total[key] += result[key];
    total.suites.push({ name, ...result });
  }
  if (total.suites.length === 0) stop(`no such suite: ${suites.join(', ')}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${variant.padEnd(9)}${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped in ${seconds} s`,
  );
  writeFileSync(join(reports, `native-${variant}.json`), JSON.stringify({ variant, ...total }, null, 2));
  return total;
}

function testSuite(variant, name, command) {
  const report = join(reports, `gtest-${variant}-${name}.json`);
  rmSync(report, { force: true });
  const prefix = variant === 'tsan' ? fixedAddresses : [];
  const [program, ...args] = [...prefix, ...command, '--gtest_brief=1', `--gtest_output=json:${report}`];
  const run = spawnSync(program, args, { encoding: 'utf8', timeout: suiteLimitMs, killSignal: 'SIGKILL' });
  let tests = [];
  try {
    tests = JSON.parse(readFileSync(report, 'utf8')).testsuites.flatMap((suite) => suite.testsuite);
  } catch {
    // it ended before it could report: counted below
  }
  const skipped = tests.filter((test) => test.result === 'SKIPPED').length;
  let failed = tests.filter((test) => test.failures?.length > 0).length;
  const passed = tests.length - skipped - failed;
  if (run.status !== 0 && failed === 0) failed = 1; // a crash, a sanitizer's report, or a hang
  if (run.status !== 0) {
    const ended = run.error?.code ?? run.signal ?? `exit code ${run.status}`;
    console.log(`${variant} ${name}: ${ended}\n${run.stdout}${run.stderr}`);
  } else if (skipped > 0) {
    console.log(
      run.stdout
        .split('\n')
        .filter((line) => /Skipped|SKIPPED/.test(line))
        .join('\n'),
    );
  }
  return { passed, failed, skipped };
}

/** Runs what must succeed, quietly unless it does not. */
function must(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout;
  stop(`${program} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
