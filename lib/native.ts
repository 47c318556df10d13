/** The addon: the only file that loads it, and the types of what it exports. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Addon {
  /** Names of the built-in operations; a task speaks of them by index. */
  readonly operations: readonly string[];
  /** Every way a task can end, by status: its name and what it means. */
  readonly statuses: ReadonlyArray<readonly [name: string, meaning: string]>;
  /** Processors this process may run on. */
  readonly parallelism: number;
  open(settle: Settle, threadsafeDoorbell: boolean): Rings;
}

/** Called with each batch of completions: how many stand in the ring, and the values that did not fit in it. */
export type Settle = (count: number, objects?: unknown[]) => void;

/** One environment's end of the engine. Buffers are shared with native code; their layout is in layout.ts. */
export interface Rings {
  readonly ring: ArrayBuffer;
  readonly arena: ArrayBuffer;
  readonly completions: ArrayBuffer;
  readonly results: ArrayBuffer;
  /** Int32 for each pool: accepted and not yet settled. */
  readonly inFlight: ArrayBuffer;
  flush(words: number, attachments: unknown[]): void;
  /** Makes tasks for slots below `count`. False: no memory. */
  reserve(count: number): boolean;
  trim(count: number): void;
  cancel(slot: number, generation: number): void;
  cancelAll(pool: number): void;
  closePool(pool: number, slot: number, generation: number): void;
  /** The pool's number, or -1 when there are too many. */
  openPool(name: string, threads: number, capacity: number, lingerNs: number, stackBytes: number): number;
  /** Of the pool now, and then for each status how many tasks ended so. */
  counts(pool: number): [queued: number, running: number, threads: number, parked: number, ...ended: number[]];
}

/** What native code tells about a task that did not succeed. */
export interface NativeFailure {
  status: number;
  task: string;
  source: 'task' | 'system' | 'resolver' | 'library';
  number: number;
  name: string;
  syscall: string;
  message: string;
  /** The first argument of a task that failed in the system: a path or a host. */
  subject?: string | Buffer;
}

export const native: Addon = load();

/**
 * Bun and Deno emulate libuv in part, and what is missing aborts the process; so the doorbell is chosen by who the host
 * is, never by looking for symbols. OFFLOOP_DOORBELL=threadsafe chooses theirs on Node too.
 */
export const threadsafeDoorbell: boolean =
  'bun' in process.versions || 'deno' in process.versions || process.env.OFFLOOP_DOORBELL === 'threadsafe';

function load(): Addon {
  const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
  const require = createRequire(import.meta.url);
  try {
    return require('node-gyp-build')(packageRoot) as Addon;
  } catch (cause) {
    const where = `${process.platform}-${process.arch}`;
    throw new Error(
      `offloop has no binary for ${where}: ${(cause as Error).message}. Build it with \`npm run build\`.`,
      {
        cause,
      },
    );
  }
}
