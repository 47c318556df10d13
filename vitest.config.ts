import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// For .ci/run: where to leave a report that a program can read, beside what is printed.
const report = process.env.OFFLOOP_TEST_REPORT;
const install = 'test/install.test.ts';

export default defineConfig({
  test: {
    // A process for each file: a crash of native code takes only its own file along.
    pool: 'forks',
    maxWorkers: Math.min(4, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      { extends: true, test: { name: 'offloop', include: ['test/**/*.test.ts'], exclude: [install] } },
      // By itself, at the end: it compiles, and the others measure time.
      { extends: true, test: { name: 'install', include: [install], sequence: { groupOrder: 1 } } },
    ],
  },
});
