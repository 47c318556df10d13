// Makes the prebuilt addon of this platform: prebuilds/<platform>-<arch>/offloop.<libc>.node, stripped.
// It is built in a copy, so that the addon in build/ can go on being used.
// With --windows, that of Windows x64 instead, by MinGW: prebuilds/win32-x64/offloop.node, as npm run test:windows tests it.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from './node-gyp.mjs';
import { build, checkPackages } from './windows/build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
if (process.argv.includes('--windows')) {
  checkPackages();
  cpSync(build({ tests: false }), join(root, 'prebuilds/win32-x64/offloop.node'));
  process.exit(0);
}

const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const copy = mkdtempSync(join(tmpdir(), 'offloop-prebuild-'));
try {
  for (const path of ['binding.gyp', 'package.json', 'native']) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const args = [prebuildify, '--napi', '--strip', '--tag-libc', '--cwd', copy, '--out', root];
  const { status } = spawnSync(process.execPath, args, { cwd: copy, stdio: 'inherit', env: buildEnvironment() });
  process.exitCode = status ?? 1;
} finally {
  rmSync(copy, { recursive: true });
}
