/** The public Promises/A+ suite on Futures, in a process of its own: mocha runs it, and it leaves rejections unhandled. */
import promisesAplusTests from 'promises-aplus-tests';
import { createViteServer } from 'vitest/node';

const vite = await createViteServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, ws: false, watch: null },
});
const { Future, futureOf } = await vite.ssrLoadModule('/lib/future.ts');
const { Settler } = await vite.ssrLoadModule('/lib/settler.ts');

/** For each test; the suite's own 200 ms are too few for a busy machine. */
const PATIENCE_MS = 5000;

let futures = 0;
const adapter = {
  deferred() {
    const settler = new Settler();
    const promise = futureOf(settler);
    if (promise instanceof Future) ++futures;
    return {
      promise,
      resolve: (value) => settler.fulfil(value),
      reject: (reason) => settler.reject(reason),
    };
  },
};

const report = { passed: 0, failed: 0, pending: 0, failures: [] };

/** A reporter of mocha. */
function note(runner) {
  runner.on('pass', () => ++report.passed);
  runner.on('pending', () => ++report.pending);
  runner.on('fail', (test, error) => {
    ++report.failed;
    report.failures.push(`${test.fullTitle()}: ${error.message}`);
  });
}

promisesAplusTests(adapter, { reporter: note, timeout: PATIENCE_MS, bail: true }, async () => {
  await vite.close();
  console.log(JSON.stringify({ ...report, futures }));
});
