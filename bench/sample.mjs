// @ts-check
// One sample in a process of its own: node bench/sample.mjs <case> <driver> <budget as JSON>. Prints one line of JSON.
import { cases } from './cases/index.mjs';
import { driversByName } from './drivers/index.mjs';

const [caseName, driverName, budgetJson] = process.argv.slice(2);
const driver = /** @type {import('./types.d.ts').FittingDriver} */ (driversByName.get(driverName));
const measured = cases.find(({ name }) => name === caseName);
if (measured === undefined || driver === undefined) throw new Error(`no sample ${caseName} × ${driverName}`);

try {
  const metrics = await measured.measure(driver, JSON.parse(budgetJson));
  console.log(JSON.stringify({ metrics }));
} catch (error) {
  console.log(JSON.stringify({ failed: String(error?.message ?? error).split('\n')[0] }));
  process.exitCode = 1;
  // What the failed sample left open must not keep the process alive.
  setTimeout(() => process.exit(), 100).unref();
}
