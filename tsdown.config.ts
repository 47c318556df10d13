import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['lib/index.ts', 'lib/ops.ts', 'lib/primitives.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: true,
  sourcemap: false,
  report: false,
});
