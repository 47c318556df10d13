/** The documentation tells the truth: its examples are programs, and print what they say. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Block, blocksIn, checkExample, isExample } from './support/readme.js';

const blocks = blocksIn(readFileSync(new URL('../README.md', import.meta.url), 'utf8'));

describe.concurrent('README.md', () => {
  test.each(blocks.filter(isExample))('tells what happens under $heading, line $line', async (example) => {
    await checkExample(example);
  });

  test('marks every other block as commands or as text', () => {
    const others = blocks.filter((block) => !isExample(block));
    expect(others.filter(({ language }) => !['sh', 'text'].includes(language))).toEqual([]);
    expect(blocks.filter(isExample).length).toBeGreaterThan(5);
  });
});

const block = (code: string, language = 'js'): Block => ({ language, line: 3, heading: 'Test', code });

describe.concurrent('an example', () => {
  test.each([
    ['prints nothing', 'await 0;'],
    ['prints what it says', 'console.log(1 + 1); // → 2\nfor (const x of "ab") console.log(x);\n// → a\n// → b'],
    ['says less than it prints on a line', 'console.log("in", 5.3, "ms"); // → in … ms'],
    ['uses the package', "import { hash } from 'offloop/ops';\nconsole.log(typeof hash); // → function"],
    ['reads the package.json beside it', "import { statSync } from 'node:fs';\nstatSync('package.json');"],
  ])('that %s is right', async (_what, code) => {
    await checkExample(block(code));
  });

  test('may be TypeScript', async () => {
    await checkExample(block("const text: string = 'typed' satisfies string;\nconsole.log(text); // → typed", 'ts'));
    await expect(checkExample(block("const text: string = 'typed';"))).rejects.toThrow('SyntaxError');
  });

  test.each([
    ['throws', "throw new Error('on purpose');", 'Error: on purpose'],
    ['rejects', "Promise.reject(new Error('on purpose'));", 'Error: on purpose'],
    ['awaits what never comes', 'await new Promise(() => {});', 'code 13'],
    ['exits with a code', 'process.exit(3);', 'code 3'],
    ['warns', "process.emitWarning('on purpose');", 'Warning: on purpose'],
    ['prints something else', 'console.log(1 + 1); // → 3', 'does not print what it says, but:\n2\n'],
    ['prints more', 'console.log(1 + 1);', 'does not print what it says, but:\n2\n'],
    ['prints less', 'if (0) console.log(1); // → 1', 'does not print what it says, but:\n'],
    ['prints in another order', 'console.log(1); // → 2\nconsole.log(2); // → 1', 'does not print what it says'],
    ['prints more on the line', 'console.log(100); // → 10', 'does not print what it says'],
    ['imports what there is not', "import { nothing } from 'offloop';\nnothing();", 'SyntaxError'],
  ])('that %s is wrong', async (_what, code, message) => {
    await expect(checkExample(block(code))).rejects.toThrow(message);
  });

  test('that hangs is wrong', async () => {
    await expect(checkExample(block('setInterval(() => {}, 1000);'), 1000)).rejects.toThrow('does not end');
  });

  test('tells the line of its error', async () => {
    await expect(checkExample(block("\nthrow new Error('on purpose');"))).rejects.toThrow('README.mjs:4');
  });
});

describe('blocks', () => {
  test('are found with their language, line and heading', () => {
    const markdown = '# One\n\n```js\n# no heading\n```\n\n## Two\n  ~~~~ sh\n```\n  ~~~~\n```\nnone\n```\n';
    expect(blocksIn(markdown)).toEqual([
      { language: 'js', line: 4, heading: 'One', code: '# no heading' },
      { language: 'sh', line: 9, heading: 'Two', code: '```' },
      { language: '', line: 12, heading: 'Two', code: 'none' },
    ]);
  });

  test('must end', () => {
    expect(() => blocksIn('```js\n```js\n')).toThrow('the block in line 2 does not end');
  });
});
