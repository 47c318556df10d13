/** The addon: the only file that loads it, and the types of what it exports. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Addon {
  /** Names of the built-in operations; a task speaks of them by index. */
  readonly operations: readonly string[];
  /** Names of those that work on streams, for a step of each; indices go on from those of the operations. */
  readonly steps: readonly string[];
  /** Every way a task can end, by status: its name and what it means. */
  readonly statuses: ReadonlyArray<readonly [name: string, meaning: string]>;
  /** Processors this process may run on. */
  readonly parallelism: number;
  /** How the reactor waits: 'epoll', 'kqueue', 'iocp' or 'poll'. */
  readonly poller: string;
  /**
   * Which memory stays while tasks read it, when its buffer is detached or its environment ends. 'most': not where
   * `ArrayBuffer.prototype.transfer` gives it another length. To be asked in every environment.
   */
  pins(isMainThread: boolean): 'nothing' | 'most' | 'all';
  /** Makes what stands for a stream: its state lives as long as this, or a step that is under way. */
  makeStream(): NativeStream;
  /** Lets go of a stream's state now; no more steps may be submitted. */
  dropStream(stream: NativeStream): void;
  open(settle: Settle, threadsafeDoorbell: boolean): Rings;
}

/** Says nothing to JavaScript. */
export type NativeStream = { readonly nativeStream: unique symbol };

/** Called with each batch of completions: how many stand in the ring, and the values that did not fit in it. */
export type Settle = (count: number, objects?: unknown[]) => void;

/** One environment's end of the engine. Buffers are shared with native code; their layout is in layout.ts. */
export interface Rings {
  readonly ring: ArrayBuffer;
  readonly arena: ArrayBuffer;
  readonly completions: ArrayBuffer;
  readonly figures: ArrayBuffer;
  readonly results: ArrayBuffer;
  /** Int32 for each pool: accepted and not yet settled. */
  readonly inFlight: ArrayBuffer;
  flush(words: number, attachments: unknown[]): void;
  /** Makes tasks for slots below `count`. False: no memory. */
  reserve(count: number): boolean;
  trim(count: number): void;
  cancel(slot: number, generation: number): void;
  cancelAll(pool: number): void;
  /** Of a task whose record says that it is watched. */
  watch(slot: number, generation: number): void;
  isRunning(slot: number, generation: number): boolean;
  /** Whether anybody waits for signals: see signals.ts. */
  listen(listening: boolean): void;
  closePool(pool: number, slot: number, generation: number): void;
  /** Opens a pool, or joins the process's pool of that name. Its number, or -1 when there are too many. */
  openPool(options: NativePoolOptions, shared: boolean): number;
  /** Opens a share in Node's own pool; `overflow` is an index in OVERFLOWS. Its number, or -1 when there are too many. */
  openNodePool(capacity: number, overflow: number): number;
  /** Takes back what Node's pool has not begun, stops the rest, and accepts no more. */
  endNodePools(): void;
  /** What the pool was made with. */
  poolOptions(pool: number): NativePoolOptions;
  resize(pool: number, threads: number): void;
  /** Of a task in flight: raises its stop flag, and leaves to it what it ends with. */
  stop(slot: number, generation: number): void;
  /** To be called once. */
  queues(): Queues;
  counts(pool: number): Counts;

  // Of what follows, a negative answer is an errno as Node has it. See primitives/readiness.ts, wake-handle.ts and socket.ts.
  /** The number of the wait. */
  beginWait(fd: number, interest: number, kind: number, ms: number): number;
  waitAgain(number: number, interest: number): number;
  endWait(number: number): void;
  /** How many events have been written: of each, the number of the wait and what has come, uint32. */
  takeWaits(events: Uint8Array): number;
  /** What says that there is something to take. */
  waitsSignal(): number;
  /** How often the reactor's thread has been woken. */
  reactorWakeUps(): number;
  /** Opens a wake (0: a new one): its number, and the signal by which it is known here. Undefined: nobody holds it. */
  openWake(number: number): [number: number, signal: number] | undefined;
  ringWake(signal: number): void;
  /** Whether it was rung since the last look. If not, its signal comes with the next ring. */
  lookAtWake(signal: number): boolean;
  wakeCounts(signal: number): [rings: number, wakeUps: number];
  closeWake(signal: number): void;
  /** A socket that connects to an address in digits. */
  connect(address: string, port: number): number;
  /** 0, or why it failed. */
  socketError(fd: number): number;
  /** How many bytes were taken, or have come. */
  send(fd: number, bytes: Uint8Array): number;
  receive(fd: number, bytes: Uint8Array): number;
  /** Nothing more will be sent. */
  shutdown(fd: number): number;
  close(fd: number): void;
}

/** One environment's ends of queues, by number: native/addon/queue_exports.cpp. */
export interface Queues {
  readonly outgoing: ArrayBuffer;
  readonly incoming: ArrayBuffer;
  /** `overflow` is an index in OVERFLOWS. The new queue's number. */
  open(capacity: number, overflow: number): number;
  /** The number of another end of a queue that was published; -1: there is none. */
  join(id: string): number;
  /** Makes it known by that id, unless it has one already. @returns its id */
  publish(queue: number, id: string): string;
  /** Frees the number. A queue that was made here can no longer be received from. */
  release(queue: number): void;
  /** Room for how many messages, and ROOM_AWAITED; 0: full; -1: closed. */
  reserve(queue: number, wanted: number): number;
  /**
   * Puts in what stands in `outgoing`, and gives back what is left of the room. What reserve(queue, wanted) returns; -2: no
   * memory: those were put in that come before a message for which an attachment could not be copied, or none.
   */
  commit(queue: number, words: number, count: number, wanted: number, attachments?: unknown[]): number;
  /** Whether there is room, or it is closed; if not, the sending signal will come. */
  awaitRoom(queue: number): boolean;
  sendingSignal(queue: number): number;
  /**
   * Counts `received` messages as received that were lent, and takes up to `most`. How many stand in `incoming`; 0: none,
   * and the receiving signal will come; -1: ended; -2: somebody else receives.
   */
  take(queue: number, received: number, most: number, lends: boolean, objects: unknown[]): number;
  receive(queue: number, count: number): void;
  /** Takes the last message back that was lent, which stands in `outgoing`. False: no memory, and nothing has changed. */
  takeBack(queue: number, words: number, attachments?: unknown[]): boolean;
  receivingSignal(queue: number): number;
  /** Lets others receive. */
  disclaim(queue: number): void;
  close(queue: number): void;
  isClosed(queue: number): boolean;
  counts(queue: number): QueueCounts;
}

export interface QueueCounts {
  readonly capacity: number;
  /** Index in OVERFLOWS. */
  readonly overflow: number;
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  readonly held: number;
  readonly highWater: number;
}

export interface NativePoolOptions {
  readonly name: string;
  readonly threads: number;
  readonly capacity: number;
  /** Index in OVERFLOWS. */
  readonly overflow: number;
  readonly agingNs: number;
  readonly lingerNs: number;
  readonly stackBytes: number;
  /** Its threads have its own name, without a number. */
  readonly exactName?: boolean;
}

/** Of a pool now. */
export interface Counts {
  readonly queued: number;
  readonly waiting: number;
  readonly running: number;
  readonly threads: number;
  readonly started: number;
  readonly parked: number;
  /** Waiting tasks, by lane. */
  readonly lanes: number[];
  /** For each status, how many tasks ended so. */
  readonly ended: number[];
  readonly queuedNs: Durations;
  readonly runNs: Durations;
  readonly cpuNs: Durations;
}

/** A histogram in short. Nanoseconds, known to one sixteenth. */
export interface Durations {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
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
    const [why] = (cause as Error).message.split('\n');
    const message = `offloop has no binary that works on ${where}: ${why}. In a clone, \`npm run compile:native\` makes one`;
    throw new Error(message, { cause });
  }
}
