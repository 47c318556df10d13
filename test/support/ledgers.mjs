// @ts-check
/** A program that keeps ledgers, and what its balances say together. */
import { EXPECTED_ENDS } from './ledger.mjs';
import { runProgram } from './program.mjs';

/** @type {typeof import('./ledgers.mjs').runLedgers} */
export async function runLedgers({ tasks, workers, seed, doorbell, onProgress }) {
  /** @type {import('./ledger.mjs').Balance[]} */
  let balances = [];
  const { code, signal, stderr } = await runProgram(
    `import { keepLedgers } from './test/support/ledger-program.mjs';
     await keepLedgers({ tasks: ${tasks}, workers: ${workers}, seed: ${seed} });`,
    {
      doorbell,
      timeoutMs: 60_000 + tasks / 2,
      onLine: (line) => {
        const facts = JSON.parse(line);
        if (facts.balances) balances = facts.balances;
        else onProgress?.(facts);
      },
    },
  );
  const faults = balances.flatMap(({ named, mistakes }, i) => [
    ...named.map((mistake) => `environment ${i}: ${mistake}`),
    ...(mistakes > named.length ? [`environment ${i}: and ${mistakes - named.length} more mistakes`] : []),
  ]);
  if (code !== 0 || signal !== null) faults.push(`ended with ${signal ?? code}`);
  if (stderr !== '') faults.push(`printed on stderr: ${stderr}`);
  /** @type {Record<string, number>} */
  const ends = {};
  if (balances.length === 0) return { ends, faults };
  for (const balance of balances) {
    for (const [end, count] of Object.entries(balance.ends)) ends[end] = (ends[end] ?? 0) + count;
  }
  const ended = Object.values(ends).reduce((sum, count) => sum + count, 0);
  if (ended !== tasks) faults.push(`${tasks} tasks were submitted, and ${ended} settled`);
  for (const end of EXPECTED_ENDS) if (!ends[end]) faults.push(`none was ${end}`);
  return { ends, faults };
}
