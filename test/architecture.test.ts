/** The rules of the house: who may include whom, and which lists must agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const below = (folder: string, pattern: RegExp) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path))
    .sort();

const isOurs = (path: string) => !/^(tests|bench)\//.test(path);
const nativeFiles = below('native', /\.(cpp|hpp|h)$/).filter(isOurs);
const layerOf = (path: string) => path.split('/')[0] ?? '';

/** native/include is the public face: its files are included by the name that users see. */
const kPublic = 'include';
/** Which layers each layer may include, apart from itself. */
const allowed: Record<string, readonly string[]> = {
  [kPublic]: [],
  base: [],
  platform: ['base'],
  core: ['base', 'platform', kPublic],
  ops: ['base', 'platform', kPublic],
  addon: ['core', 'ops', 'base', 'platform', kPublic],
};
/** A file below platform/ with such an ending is one mechanism; the others are faces. */
const mechanism = /_(posix|linux|darwin|windows|epoll|poll|kqueue|iocp|eventfd|pipe|io_uring)\.(hpp|cpp)$/;
const systemMacro =
  /\b(_WIN32|__linux__|__APPLE__|__unix__|__FreeBSD__|__OpenBSD__|__NetBSD__|__BSD__|OFFLOOP_PORTABLE)\b/;
/** Of C++ or, in the public header, of C. */
const standard = /^([a-z_]+|std(int|def|bool)\.h)$/;
const hosts = /^(napi|node_api|js_native_api|uv|v8|node)\.h$/;

const linesOf = (path: string) => read(`native/${path}`).split('\n');
const conditionsOf = (path: string) => linesOf(path).filter((line) => /^\s*#\s*(if|ifdef|ifndef|elif)\b/.test(line));

function includesOf(path: string) {
  const found = read(`native/${path}`).matchAll(/^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)/gm);
  return [...found].map(([, own, system]) => ({ own, system }));
}

/** What is wrong with an include of a layer's file, if anything. */
function objection(layer: string, own: string | undefined, system: string | undefined): string | undefined {
  if (own !== undefined) {
    const target = own.startsWith('offloop/') ? `${kPublic}/${own}` : own;
    if (!nativeFiles.includes(target)) return 'there is no such file';
    const other = layerOf(target);
    if (other !== layer && !allowed[layer]?.includes(other)) return `${layer} may not include ${other}`;
    if (other === 'platform' && layer !== 'platform' && mechanism.test(target)) return 'a mechanism, not a face';
    return undefined;
  }
  const header = system ?? '';
  if (layer === 'platform') return hosts.test(header) ? 'only the addon knows Node' : undefined;
  if (standard.test(header)) return undefined;
  return layer === 'addon' && hosts.test(header) ? undefined : 'not of the standard library';
}

describe('native', () => {
  it('is made of the known layers', () => {
    expect([...new Set(nativeFiles.map(layerOf))].sort()).toEqual(Object.keys(allowed).sort());
  });

  it('includes only what each layer may', () => {
    const objections = nativeFiles.flatMap((path) =>
      includesOf(path).map(({ own, system }) => {
        const what = objection(layerOf(path), own, system);
        return what && `${path} includes ${own ?? system}: ${what}`;
      }),
    );
    expect(objections.filter((each) => each !== undefined)).toEqual([]);
  });

  it('asks which system it is on only in select.hpp and in the sources of platform', () => {
    const asking = nativeFiles
      .filter((path) => !/^platform\/.*\.cpp$/.test(path) && path !== 'platform/select.hpp')
      .filter((path) => conditionsOf(path).some((condition) => systemMacro.test(condition)));
    expect(asking).toEqual([]);
  });

  it('guards every source of platform by the system it is for', () => {
    const unguarded = nativeFiles.filter((path) => {
      if (!/^platform\/.*\.cpp$/.test(path)) return false;
      const face = `#include "${path.replace(mechanism, '.hpp')}"`;
      const lines = linesOf(path).filter((line) => line.trim() !== '' && !line.startsWith('//') && line !== face);
      const [first = ''] = lines;
      return !(first.startsWith('#if ') && systemMacro.test(first) && lines.at(-1) === '#endif');
    });
    expect(unguarded).toEqual([]);
  });

  it('lists every source once in sources.txt, and none that is missing', () => {
    const listed = read('native/sources.txt').trim().split('\n');
    expect(listed).toEqual([...new Set(listed)]);
    expect(listed.sort()).toEqual(nativeFiles.filter((path) => path.endsWith('.cpp')));
  });

  it('has a test suite in CMake for every file of tests', () => {
    const suites = read('native/tests/CMakeLists.txt')
      .match(/foreach\(suite ([^)]+)\)/)?.[1]
      ?.trim()
      .split(/\s+/);
    const files = below('native/tests', /_test\.cpp$/).map((path) => basename(path, '_test.cpp'));
    expect(suites?.sort()).toEqual(files.sort());
  });
});

describe('lib', () => {
  const files = below('lib', /\.ts$/);

  it('leaves the addon to native.ts', () => {
    const loading = /node-gyp-build|createRequire|process\.dlopen|\.node['"`]/;
    expect(files.filter((path) => loading.test(read(`lib/${path}`)))).toEqual(['native.ts']);
  });

  it('says any nowhere else', () => {
    const any = /[:<,|(]\s*any\b|\bas any\b/;
    expect(files.filter((path) => path !== 'native.ts' && any.test(read(`lib/${path}`)))).toEqual([]);
  });

  it('has names in kebab case and no default exports', () => {
    expect(files.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(basename(path)))).toEqual([]);
    expect(files.filter((path) => /^export default\b/m.test(read(`lib/${path}`)))).toEqual([]);
  });
});

describe('lists that stand on both sides', () => {
  const layoutTs = read('lib/layout.ts');
  const layoutHpp = read('native/addon/layout.hpp');

  /** `A * B`, `2 ** n` and `1u << n` of whole numbers. */
  function numberOf(expression: string): number {
    const [left, operator, right] = expression.replace(/(\d)u\b/g, '$1').split(/\s*(\*\*|\*|<<)\s*/);
    if (operator === undefined) return Number(left);
    if (operator === '*') return Number(left) * Number(right);
    return operator === '**' ? Number(left) ** Number(right) : Number(left) * 2 ** Number(right);
  }

  it('agrees on the sizes of the shared memory', () => {
    const sizes = [...layoutTs.matchAll(/^export const ([A-Z_]+) = ([^;]+);/gm)]
      .map(([, name = '', value = '']) => ({ name, value: numberOf(value) }))
      .filter(({ name }) => !/^(CELL|KIND|OUTCOME)_/.test(name) || name === 'CELL_WORDS');
    const native = sizes.map(({ name }) => {
      const words = name.toLowerCase().split('_');
      const constant = `k${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
      const found = layoutHpp.match(new RegExp(`\\b${constant} = ([^;]+);`))?.[1];
      return { name, value: found && numberOf(found) };
    });
    expect(sizes).not.toEqual([]);
    expect(native).toEqual(sizes);
  });

  /** JavaScript has other words for no and yes. */
  const inTypeScript: Record<string, string> = { OUTCOME_NO: 'OUTCOME_FALSE', OUTCOME_YES: 'OUTCOME_TRUE' };

  it.each(['Cell', 'Outcome'])('agrees on the members of %s', (name) => {
    const body = layoutHpp.match(new RegExp(`enum class ${name} : uint32_t \\{([^}]*)\\}`))?.[1] ?? '';
    const members = body
      .replace(/\/\/.*$/gm, '')
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '')
      .map((member) => `${name}_${member}`.toUpperCase())
      .map((member) => inTypeScript[member] ?? member);
    const prefix = `${name.toUpperCase()}_`;
    const numbered = [...layoutTs.matchAll(/^export const ([A-Z_]+) = (\d+);/gm)].filter(
      ([, constant = '']) => constant.startsWith(prefix) && constant !== 'CELL_WORDS',
    );
    expect(numbered.map(([, constant]) => constant)).toEqual(members);
    expect(numbered.map(([, , value]) => Number(value))).toEqual(members.map((_, index) => index));
  });

  it('agrees on the kinds of messages', () => {
    const kinds = read('native/include/offloop/task.h').match(/enum offloop_kind \{([^}]*)\}/)?.[1] ?? '';
    const names = [...kinds.matchAll(/OFFLOOP_([A-Z]+)/g)].map(([, name]) => name).filter((name) => name !== 'QUEUE');
    const numbered = [...layoutTs.matchAll(/^export const KIND_([A-Z]+) = (\d+);/gm)];
    expect(numbered.map(([, name]) => name)).toEqual(names);
    expect(numbered.map(([, , value]) => Number(value))).toEqual(names.map((_, index) => index));
  });

  it('gives every status of task.h an error code', () => {
    const statuses = [...read('native/include/offloop/task.h').matchAll(/^\s*X\(([A-Z_]+),/gm)].map(([, name]) => name);
    const codes = [...read('lib/errors.ts').matchAll(/^\s*\| 'ERR_OFFLOOP_([A-Z_]+)'/gm)].map(([, name]) => name);
    expect(statuses[0]).toBe('OK');
    expect(codes).toEqual(statuses.slice(1));
  });

  it('gives every native operation a task, and exports it', () => {
    const table = read('native/ops/operations.cpp');
    const operations = [...table.matchAll(/\{"(\w+)", ops::(?!\w+_step|end_stream)\w+, k(?:Brief|Long)\}/g)].map(
      ([, name]) => name ?? '',
    );
    expect(operations.length).toBeGreaterThan(10);
    const exported = read('lib/ops.ts')
      .replace(/\btype \w+/g, '')
      .match(/\b[a-z]\w+\b(?=[^{}]*\} from '\.\/ops\/)/g);
    expect(exported?.sort()).toEqual(operations.sort());
  });

  it('gives every native step a task that works on streams', async () => {
    const table = read('native/ops/operations.cpp');
    const steps = [...table.matchAll(/\{"(\w+)", ops::\w+_step, kLong\}/g)].map(([, name]) => name ?? '');
    const tasks = Object.values(await import('../lib/ops.js')).map(({ definition }) => definition);
    expect(
      tasks
        .filter(({ stream }) => stream)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(steps.sort());
  });
});
