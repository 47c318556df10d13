import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../examples/tcp/', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [`${folder}main.mjs`, ...args], { timeout: 60_000 });

test('the TCP example exchanges messages in both ways, and ends by itself', async () => {
  const { stdout, stderr } = await run('--connections', '50', '--exchanges', '4', '--bytes', '1000');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^50 connections, 4 exchanges of 1000 bytes on each\n/);
  const figures = String.raw`\s+[\d.]+ ms\s+[\d,]+\s+[\d.]+ ms\s+[\d.]+ ms\s+[\d.]+ µs`;
  for (const way of ['offloop', 'node:net']) expect(stdout).toMatch(new RegExp(`^${way}${figures}$`, 'm'));
}, 60_000);

test('the TCP example says what it takes', async () => {
  for (const wrong of [
    ['--connections', '0'],
    ['--bytes', 'many'],
  ]) {
    await expect(run(...wrong)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--exchanges') });
  }
});

test('the TCP example has less than 150 lines', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mjs'));
  const lines = files.map((name) => readFileSync(folder + name, 'utf8').split('\n').length - 1);
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(150);
});
