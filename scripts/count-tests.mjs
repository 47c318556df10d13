// Adds up the reports of all suites: what vitest and the scripts that test native code left in the given folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of readdirSync(folder)) {
  if (!/^(vitest|native-.*|darwin-build|windows)\.json$/.test(name)) continue;
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const isVitest = 'numTotalTests' in report;
  total.passed += isVitest ? report.numPassedTests : report.passed;
  total.failed += isVitest ? failedInVitest(report) : report.failed;
  total.skipped += isVitest ? report.numPendingTests + report.numTodoTests : report.skipped;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

/** A file that could not be run has failed although it has no test that did. */
function failedInVitest(report) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return report.numFailedTests + brokenFiles.length;
}
