// Formats the C++ sources, or with --check says which are not formatted.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = [19, 18, 17, 16, 15, 14].map((version) => `clang-format-${version}`).concat('clang-format');

const sources = ['native', 'bench/peers/src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(cpp|hpp|h)$/.test(path))
    .map((path) => join(folder, path)),
);

const program = names.find((name) => spawnSync(name, ['--version']).status === 0);
if (!program) {
  console.error(`clang-format is not installed (looked for ${names.join(', ')})`);
  process.exit(1);
}
const action = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
process.exit(spawnSync(program, [...action, ...sources], { cwd: root, stdio: 'inherit' }).status ?? 1);
