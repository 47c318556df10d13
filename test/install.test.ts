/** What a user gets: the tarball, installed where nothing can be compiled and no script may run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const prebuild = join(root, `prebuilds/${process.platform}-${process.arch}/offloop.glibc.node`);
const minutes = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'offloop-install-'));
const tools = join(folder, 'bin');
const project = join(folder, 'project');
let packed: { filename: string; files: { path: string }[] };

/** What a fresh shell would hand on, and nothing of the npm that runs this test. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept =
    /^(HOME|TMPDIR|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|npm_config_(registry|userconfig|cache|cafile))$/i;
  const entries = Object.entries(process.env).filter(([name]) => kept.test(name));
  return { ...Object.fromEntries(entries), PATH: tools };
}

function findInPath(program: string): string {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((path) => join(path, program))
    .find(existsSync);
  if (!found) throw new Error(`${program} is not in PATH`);
  return found;
}

/** A PATH with node, npm, sh and env, and no compiler. */
function makeTools(): void {
  mkdirSync(tools);
  symlinkSync(process.execPath, join(tools, 'node'));
  for (const program of ['sh', 'env']) symlinkSync(findInPath(program), join(tools, program));
  const npm = realpathSync(findInPath('npm'));
  writeFileSync(join(tools, 'npm'), `#!${join(tools, 'sh')}\nexec node '${npm}' "$@"\n`);
  chmodSync(join(tools, 'npm'), 0o755);
}

function newest(path: string): number {
  const times = readdirSync(path, { recursive: true, encoding: 'utf8' }).map(
    (name) => statSync(join(path, name)).mtimeMs,
  );
  return Math.max(0, ...times);
}

/** Not `npm run build`: that would take the addon away from the tests that run beside this one. */
function refreshTypeScript(): void {
  const dist = join(root, 'dist');
  if (existsSync(dist) && newest(dist) >= newest(join(root, 'lib'))) return;
  execFileSync('npm', ['run', '--silent', 'compile:ts', '--', '--no-clean'], { cwd: root, stdio: 'pipe' });
}

beforeAll(() => {
  refreshTypeScript();
  execFileSync('npm', ['run', '--silent', 'prebuild'], { cwd: root, stdio: 'pipe' });
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  [packed] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }));
  makeTools();
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true, "type": "module" }');
}, 15 * minutes);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the prebuilt addon', () => {
  it('lies where node-gyp-build looks for it, with the C library in its name', () => {
    expect(existsSync(prebuild)).toBe(true);
  });

  it('exports the entry points of Node-API and nothing else', ({ skip }) => {
    const nm = spawnSync('nm', ['-D', '--defined-only', prebuild], { encoding: 'utf8' });
    skip(nm.error !== undefined, 'nm is not installed');
    const symbols = nm.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    expect(symbols.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });

  it('is stripped', ({ skip }) => {
    const nm = spawnSync('nm', [prebuild], { encoding: 'utf8' });
    skip(nm.error !== undefined, 'nm is not installed');
    expect(nm.stderr + nm.stdout).toMatch(/no symbols/);
  });
});

describe('the tarball', () => {
  it('holds the built package and no sources', () => {
    const paths = packed.files.map((file) => file.path).sort();
    const expected =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/[\w.-]+\.d?\.?mts|dist\/[\w.-]+\.mjs|prebuilds\/[\w-]+\/offloop\.\w+\.node)$/;
    expect(paths.filter((path) => !expected.test(path))).toEqual([]);
    for (const path of [
      'LICENSE',
      'README.md',
      'dist/index.mjs',
      'dist/index.d.mts',
      'dist/ops.mjs',
      'dist/ops.d.mts',
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths).toContain(`prebuilds/${process.platform}-${process.arch}/offloop.glibc.node`);
  });
});

describe('installed without a compiler and without scripts', () => {
  const inProject = (program: string, args: string[]) =>
    spawnSync(join(tools, program), args, {
      cwd: project,
      env: userEnvironment(),
      encoding: 'utf8',
      timeout: 3 * minutes,
    });

  it('finds no compiler, make or Python', () => {
    for (const program of ['cc', 'gcc', 'g++', 'c++', 'clang', 'make', 'ninja', 'python', 'python3']) {
      expect(inProject('sh', ['-c', `command -v ${program}`]).status, program).not.toBe(0);
    }
  });

  it('installs', { timeout: 3 * minutes }, () => {
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    const install = inProject('npm', ['install', ...flags, join(folder, packed.filename)]);
    expect(install.status, install.stderr).toBe(0);
  });

  it('hashes on a pool, and ends by itself', () => {
    const script = `
      import { Pool } from 'offloop';
      import { hash } from 'offloop/ops';
      const pool = new Pool({ name: 'installed', threads: 2 });
      const digest = await pool.run(hash, ['sha256', 'offloop']);
      console.log(Buffer.from(digest).toString('hex'));
    `;
    writeFileSync(join(project, 'main.mjs'), script);
    const run = inProject('node', ['main.mjs']);
    expect(run.stderr).toBe('');
    expect(run.stdout.trim()).toBe(createHash('sha256').update('offloop').digest('hex'));
    expect(run.status).toBe(0);
  });

  it('can be required from CommonJS', () => {
    const run = inProject('node', ['--input-type=commonjs', '-e', "console.log(typeof require('offloop').Pool)"]);
    expect(run.stdout.trim()).toBe('function');
  });

  it('says which binary is missing when there is none', () => {
    const installed = join(project, 'node_modules/offloop/prebuilds');
    rmSync(installed, { recursive: true });
    const run = inProject('node', ['main.mjs']);
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain(`${process.platform}-${process.arch}`);
  });
});
