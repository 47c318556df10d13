/** What is resident and open after so many workers. */
export interface Sample {
  worker: number;
  /** Bytes. */
  rss: number;
  descriptors: number;
  threads: number;
}

export interface StormOptions {
  workers: number;
  seed: number;
  node?: string;
  onSample?: (sample: Sample) => void;
}

export interface StormReport {
  samples: Sample[];
  /** Over the second half, on the line that fits best. */
  rises: Omit<Sample, 'worker'>;
  /** What was wrong with it: nothing, if all is well. */
  faults: string[];
  ms: number;
}

/** Lets workers come, work and be terminated, one after another. */
export function runStorm(options: StormOptions): Promise<StormReport>;
