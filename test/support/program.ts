/** Programs that run in a process of their own, with the package as users import it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Doorbell } from './offloop.js';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  code: number | null;
  /** What ended it, if a signal did. 'SIGKILL': it hung. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface ProgramOptions {
  doorbell?: Doorbell;
  /** Sent as soon as the program prints its first line. */
  kill?: NodeJS.Signals;
  /** A program that runs longer has hung. Default: 10 s. */
  timeoutMs?: number;
  flags?: readonly string[];
}

/** Few at a time: the machine may have two processors, and a test file beside this one. */
const MOST_AT_ONCE = 2;
let running = 0;
const waiting: Array<() => void> = [];

/** Runs the text of an ES module; `offloop` and `offloop/ops` can be imported. */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<Outcome> {
  while (running === MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  ++running;
  try {
    return await start(source, options);
  } finally {
    --running;
    waiting.shift()?.();
  }
}

function start(source: string, options: ProgramOptions): Promise<Outcome> {
  const { doorbell = 'loop', kill, timeoutMs = 10_000, flags = [] } = options;
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', source], {
      cwd: packageRoot,
      env: { ...process.env, OFFLOOP_DOORBELL: doorbell, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (kill && stdout === '') child.kill(kill);
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, ms: performance.now() - began });
    });
  });
}
