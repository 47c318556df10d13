import type { Doorbell } from './offloop.js';

export interface LedgersOptions {
  tasks: number;
  /** worker_threads; the main thread does half of the work. */
  workers: number;
  seed: number;
  doorbell?: Doorbell;
  onProgress?: (progress: { settled: number; seconds: number }) => void;
}

/** Keeps ledgers in a process of their own. `faults`: what was wrong, nothing if all is well. */
export function runLedgers(options: LedgersOptions): Promise<{ ends: Record<string, number>; faults: string[] }>;
