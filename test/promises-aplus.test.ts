import { expect, test } from 'vitest';
import { runProgram } from './support/program.js';

test('a Future passes all 872 tests of Promises/A+', { timeout: 150_000 }, async () => {
  const { code, stdout, stderr } = await runProgram("import './test/support/promises-aplus.mjs';", {
    flags: ['--unhandled-rejections=none', '--no-warnings'],
    timeoutMs: 120_000,
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ passed: 872, failed: 0, pending: 0, futures: expect.any(Number), failures: [] });
  expect(JSON.parse(stdout).futures).toBeGreaterThan(872);
  expect(code).toBe(0);
});
