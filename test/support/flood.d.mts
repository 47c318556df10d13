import type { Flood, FloodKind } from './flood-program.mjs';

export interface FloodOptions {
  kind: FloodKind;
  bytes: number;
  /** More is a fault. */
  mostKeptMs: number;
  onMoved?: (bytes: number) => void;
}

export interface FloodReport {
  /** What the flood has told, unless it did not come so far. */
  figures: Flood | undefined;
  /** What was wrong with it: nothing, if all is well. */
  faults: string[];
}

/** Sends very many bytes through one stream. */
export function runFlood(options: FloodOptions): Promise<FloodReport>;
