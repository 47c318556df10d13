import type { Doorbell } from './offloop.js';

export type State = 'idle' | 'queued' | 'running' | 'pools';
export type Ending =
  | 'falls off the end'
  | 'calls process.exit'
  | 'throws'
  | 'leaves a rejection'
  | 'gets a SIGTERM'
  | 'gets a SIGINT'
  | 'terminates a worker'
  | 'has a worker that calls process.exit';
export const STATES: readonly State[];
export const ENDINGS: readonly Ending[];

/** How an ending goes, and what becomes of the process and of its worker_thread. */
export interface Expected {
  how: string;
  code?: number;
  signal?: NodeJS.Signals;
  worker?: number;
}

/** What the program prints before and after. */
export interface Facts {
  at: number;
  accepted: number;
  settled: number;
  /** When the last one settled. */
  lastAt: number;
  queued: number;
  running: number;
  inFlight: number;
  /** Of a worker_thread that has ended, and what was left of it for seconds. */
  code?: number;
  threads?: string[];
  descriptors?: string[];
}

export interface EndOptions {
  doorbell: Doorbell;
  /** How much work there is to wait for, where it has to be waited for. */
  waitMs: number;
  /** What an end may take, from the ending or from when the last task has settled that has to be waited for. */
  limitMs: number;
  node?: string;
}

/** Lets one program end so, and tells what was wrong with it: nothing, if all is well. */
export function endOnce(
  state: State,
  ending: Ending,
  options: EndOptions,
): Promise<{ faults: string[] /** from the moment of the ending to the end */; ms: number }>;
