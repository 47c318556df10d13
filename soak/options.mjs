// @ts-check
import { parseArgs } from 'node:util';

export const usage = `usage: npm run soak -- [check …] [options]
  exits              every state × every ending of a process, 20 times each
  workers            1,000 worker_threads that are terminated in the middle of work, on each version of Node
  ledger             5,000,000 tasks, each of which must settle exactly once
  streams            4 GiB through gzip, gunzip and hash, and 10 GiB of a file for a slow reader
  asan               the tests of npm test, with the addon and its programs under AddressSanitizer
                     no check: the first four
options
  --quick            each check in less than 20 s
  --rounds N         exits: how often
  --workers N        workers: how many
  --node 20,22,…     workers: versions of Node, installed below build/node (default 20,22,24,26)
  --tasks N          ledger: how many
  --tests NAME       asan: only the files of tests whose names have this in them
  --seed N           another run of luck (default 1)
  --help`;

const CHECKS = ['exits', 'workers', 'ledger', 'streams', 'asan'];

/**
 * @param {string[]} args
 * @throws {Error} with a message for the user
 */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      workers: { type: 'string' },
      node: { type: 'string' },
      tasks: { type: 'string' },
      tests: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((check) => !CHECKS.includes(check));
  if (unknown !== undefined) throw new Error(`no such check: ${unknown}`);
  const { quick, help } = values;
  const count = (/** @type {'rounds' | 'workers' | 'tasks' | 'seed'} */ name, /** @type {number} */ byDefault) => {
    const number = Number(values[name] ?? byDefault);
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number, 1 or more`);
    return number;
  };
  return {
    help,
    quick,
    checks: positionals.length > 0 ? positionals : CHECKS.slice(0, 4),
    rounds: count('rounds', quick ? 2 : 20),
    workers: count('workers', quick ? 150 : 1000),
    nodes: values.node?.split(',') ?? (quick ? [] : ['20', '22', '24', '26']),
    tasks: count('tasks', quick ? 200_000 : 5_000_000),
    seed: count('seed', 1),
    tests: values.tests === undefined ? [] : [values.tests],
  };
}
