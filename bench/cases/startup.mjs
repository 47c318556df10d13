// @ts-check
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../measure/stats.mjs';

const run = promisify(execFile);
const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

/**
 * One whole Node process.
 * @param {string} source
 */
async function timedProcess(source) {
  const start = performance.now();
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { cwd: packageFolder }).catch(
    (error) => {
      throw new Error(error.stderr.match(/^\w*Error.*$/m)?.[0] ?? `exit code ${error.code}`);
    },
  );
  return { wholeMs: performance.now() - start, stdout };
}

/** @param {string} statement */
const timedSource = (statement) =>
  `const start = performance.now(); ${statement}; process.stdout.write(String(performance.now() - start));`;

/** @type {import('../types.d.ts').Case} */
export const startup = {
  name: 'startup',
  title: 'Start-up: import of the package in a new process',
  drivers: ['offloop-balanced', 'koffi', 'piscina', 'tinypool', 'workerpool'],
  columns: [
    { metric: 'added_ms', head: 'added to the whole process ms', digits: 1 },
    { metric: 'import_ms', head: 'import() ms', digits: 1 },
    { metric: 'empty_ms', head: 'empty process ms', digits: 1 },
  ],
  quick: true,
  async measure(driver, { measureMs }) {
    const empty = timedSource('');
    const importing = timedSource(`await import(${JSON.stringify(driver.specifier)})`);
    await timedProcess(empty);
    await timedProcess(importing);

    const emptyMs = [];
    const wholeMs = [];
    const importMs = [];
    const end = performance.now() + measureMs;
    do {
      emptyMs.push((await timedProcess(empty)).wholeMs);
      const process = await timedProcess(importing);
      wholeMs.push(process.wholeMs);
      importMs.push(Number(process.stdout));
    } while (performance.now() < end);
    return {
      added_ms: median(wholeMs) - median(emptyMs),
      import_ms: median(importMs),
      empty_ms: median(emptyMs),
    };
  },
};
