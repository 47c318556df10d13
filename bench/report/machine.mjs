// @ts-check
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** @param {string[]} args */
function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

function commit() {
  const hash = git('rev-parse', '--short', 'HEAD');
  if (hash === '') return 'not committed';
  return git('status', '--porcelain', '--', 'native', 'lib', 'bench') === '' ? hash : `${hash} with changes`;
}

/** @returns {import('../types.d.ts').Machine} */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release().split('-')[0]} ${process.arch}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    loadAtStart: Number(loadavg()[0].toFixed(2)),
  };
}

/** @param {import('../types.d.ts').Machine} machine */
export function machineLine({ cpu, cores, os, node, commit, date }) {
  return `${cpu}, ${cores} cores, ${os}, Node ${node}, offloop ${commit}, ${date}`;
}
