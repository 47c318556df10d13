/**
 * What goes through: 'gzip', 'gunzip' and 'hash' of so many bytes of input; 'readable', a file of zeros read slowly, and
 * 'byob', the same by a reader with memory of its own.
 */
export type FloodKind = 'gzip' | 'gunzip' | 'hash' | 'readable' | 'byob';

/** What came out, and what it took. Bytes and milliseconds. */
export interface Flood {
  readonly kind: FloodKind;
  readonly bytes: number;
  readonly came: number;
  readonly isRight: boolean;
  readonly seconds: number;
  /** The most resident memory over the first fifth, and how much more it was at any time. */
  readonly warmRss: number;
  readonly grownRss: number;
  /** Of a slow reader: how far the system says that the file was read ahead, at most. */
  readonly ahead: number;
  /** Of perf_hooks, the machine's own delays included. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** The longest that the loop was kept by its own thread. */
  readonly keptMaxMs: number;
}

/** Prints `{ moved }` now and then, and a Flood at the end, as lines of JSON. */
export function flood(options: { kind: FloodKind; bytes: number }): Promise<void>;
