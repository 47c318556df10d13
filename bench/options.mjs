// @ts-check
import { parseArgs } from 'node:util';

export const usage = `usage: npm run bench -- [options]
  --rounds N         samples of each case and driver (default 5)
  --quick            one round of short samples, main cases and drivers only
  --only REGEX       cases whose name matches
  --drivers REGEX    drivers whose name matches
  --out FILE         where to write the figures (a full run writes docs/bench.json and the charts)
  --from FILE        print and draw figures measured before
  --help`;

/**
 * @param {string[]} args
 * @throws {Error} with a message for the user
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      drivers: { type: 'string' },
      out: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number, 1 or more');
  return {
    ...values,
    rounds,
    only: values.only === undefined ? undefined : new RegExp(values.only),
    drivers: values.drivers === undefined ? undefined : new RegExp(values.drivers),
    /** @type {import('./types.d.ts').Budget} */
    budget: values.quick ? { warmMs: 100, measureMs: 250 } : { warmMs: 250, measureMs: 600 },
    /** Only a run of everything may replace the figures the README shows. */
    publishes: !values.quick && values.only === undefined && values.drivers === undefined && values.out === undefined,
  };
}
