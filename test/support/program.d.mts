import type { Doorbell } from './offloop.js';

export interface Outcome {
  code: number | null;
  /** What ended it, if a signal did. 'SIGKILL': it hung. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
  /** When it was gone and nobody held its output any more: milliseconds as Date.now() has them. */
  endedAt: number;
  /** Some process of its group was left. Only where it has a group of its own. */
  orphans: boolean;
}

export interface ProgramOptions {
  doorbell?: Doorbell;
  /** Sent as soon as the program prints its first line. */
  kill?: NodeJS.Signals;
  /** A program that runs longer has hung, unless all is slow. Default: 10 s. */
  timeoutMs?: number;
  flags?: readonly string[];
  /** Where it runs. Default: the package's folder. */
  cwd?: string;
  /** The binary of Node. Default: the one that runs this. */
  node?: string;
  /** Gives it a process group of its own, and looks for orphans in it. */
  ownGroup?: boolean;
  /** Called with each line that it prints. */
  onLine?: (line: string) => void;
}

/** How much slower than usual programs may be: 1, but for OFFLOOP_TEST_SLOWNESS. */
export const SLOWNESS: number;

/** Runs the text of an ES module, or a file; `offloop` and `offloop/ops` can be imported. */
export function runProgram(source: string | URL, options?: ProgramOptions): Promise<Outcome>;
