import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// For .ci/run: where to leave a report that a program can read, beside what is printed.
const report = process.env.OFFLOOP_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A process for each file: a crash of native code takes only its own file along.
    pool: 'forks',
    maxWorkers: Math.min(4, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
