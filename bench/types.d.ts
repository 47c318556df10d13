/** One way to run a task. Importing a driver's module is cheap; `open` loads what it measures. */
export interface Driver {
  readonly name: string;
  readonly label: string;
  readonly group: 'offloop' | 'native' | 'node' | 'js' | 'floor';
  /** Package that may be absent; the driver is then skipped. */
  readonly needs?: string;
  /** What the start-up case imports. */
  readonly specifier?: string;
  /** Environment of the sample's process. */
  readonly env?: Readonly<Record<string, string>>;
  open(options?: OpenOptions): Promise<Partial<Session>>;
}

/** A driver of a case that lists it: it has the operations that the case calls. */
export interface FittingDriver extends Driver {
  open(options?: OpenOptions): Promise<Session>;
}

export interface OpenOptions {
  threads?: number;
  capacity?: number;
}

/** An open driver. */
export interface Session {
  noop(): Promise<unknown>;
  /** 64 bytes in, 32 bytes out. */
  small(bytes: Buffer): Promise<Uint8Array>;
  /** SHA-256 of the bytes. */
  bulk(bytes: Buffer): Promise<Uint8Array>;
  spin(ms: number, signal?: AbortSignal): Promise<unknown>;
  scrypt(): Promise<unknown>;
  lookup(host: string): Promise<unknown>;
  readFile(path: string): Promise<unknown>;
  /** Bytes that come out of a stream that gzips these. */
  gzipStream(chunks: Iterable<Buffer>): Promise<number>;
  /** Receives so many numbers from another thread, which sends without end once it was asked. */
  flood(count: number): Promise<void>;
  /** A number to another thread and back. Before the first flood. */
  echo(): Promise<unknown>;
  close?(): unknown;
}

/** What one sample may spend. */
export interface Budget {
  readonly warmMs: number;
  readonly measureMs: number;
}

export type Metrics = Record<string, number>;

export interface Column {
  readonly metric: string;
  readonly head: string;
  readonly digits?: number;
}

export interface Case {
  readonly name: string;
  readonly title: string;
  readonly drivers: readonly string[];
  readonly columns: readonly Column[];
  /** Drivers whose first column the others are divided by. */
  readonly baselines?: readonly string[];
  /** Part of `--quick`. */
  readonly quick?: boolean;
  readonly nodeFlags?: readonly string[];
  measure(driver: FittingDriver, budget: Budget): Promise<Metrics>;
}

export interface Sample {
  case: string;
  driver: string;
  round: number;
  metrics?: Metrics;
  failed?: string;
  skipped?: string;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** case → driver → metric → spread over the rounds. */
export type Summary = Record<string, Record<string, Record<string, Spread>>>;

export interface Target {
  readonly what: string;
  readonly limit: string;
  readonly measured?: number;
  readonly verdict: 'met' | 'not met' | 'not measured';
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly commit: string;
  readonly date: string;
  /** Mean of the last minute before the run; other work on the machine makes the figures worthless. */
  readonly loadAtStart: number;
}
