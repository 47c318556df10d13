// Which tests in JavaScript run under wine, and which cannot.

/** The versions of Node for Windows that wine 8 runs: later ones reserve more address space than it gives. */
export const NODES = [20, 22];

/** On the later version: what depends on the version of Node or V8. The rest is the same code. */
const DEPENDS_ON_NODE = [
  'test/context.test.ts',
  'test/errors.test.ts',
  'test/future.test.ts',
  'test/inputs-kinds.test.ts',
  'test/ops/files.test.ts',
  'test/ops/hash.test.ts',
  'test/pool.test.ts',
  'test/ring.test.ts',
  'test/values.test.ts',
];

export const FILES = [
  ...DEPENDS_ON_NODE,
  'test/close.test.ts',
  'test/combinators.test.ts',
  'test/exactly-once.test.ts',
  'test/future-context.test.ts',
  'test/future-pool.test.ts',
  'test/future-process.test.ts',
  'test/future-progress.test.ts',
  'test/inputs-detached.test.ts',
  'test/inputs.test.ts',
  'test/limits-together.test.ts',
  'test/limits.test.ts',
  'test/lines.test.ts',
  'test/loop.test.ts',
  'test/map-end.test.ts',
  'test/map-source.test.ts',
  'test/map.test.ts',
  'test/node-pool-end.test.ts',
  'test/node-pool-limits.test.ts',
  'test/node-pool-storm.test.ts',
  'test/node-pool.test.ts',
  'test/ops/base64.test.ts',
  'test/ops/compress.test.ts',
  'test/ops/derive.test.ts',
  'test/ops/large.test.ts',
  'test/ops/lookup.test.ts',
  'test/ops/progress.test.ts',
  'test/ops/time.test.ts',
  'test/options.test.ts',
  'test/overflow.test.ts',
  'test/promises-aplus.test.ts',
  'test/queue-threads.test.ts',
  'test/queue-values.test.ts',
  'test/queue.test.ts',
  'test/reactor-windows.test.ts',
  'test/reactor.test.ts',
  'test/scheduling.test.ts',
  'test/shared.test.ts',
  'test/signal.test.ts',
  'test/socket.test.ts',
  'test/stats.test.ts',
  'test/streams-web.test.ts',
  'test/streams.test.ts',
  'test/tcp-example.test.ts',
  'test/tracing.test.ts',
  'test/turns.test.ts',
  'test/wake.test.ts',
  'test/worker.test.ts',
];

const unpinned = 'memory is not pinned on Windows';
const fifos = 'there are no fifos';
const proc = 'reads the names of threads from /proc';
const pace = 'counts on how fast threads wake and files fail to open';

/** Tests that are left out of the files that run, by a part of their name. */
export const cannotRun = [
  { test: 'is a thread of its own, by its own name, until it has been joined', reason: proc },
  { test: 'come in the order of the source, whichever is finished first', reason: fifos },
  { test: 'come as they are finished where that is what was asked for', reason: fifos },
  { test: 'is not used up by waiting in a system call', reason: fifos },
  { test: 'rejects with what a task ends with, whichever it is, where order does not matter', reason: fifos },
  { test: 'a map that is to fail in a while runs nothing more until then', reason: fifos },
  { test: 'a map that has ended leaves no rejection that nobody handles, however it ended', reason: pace },
  { test: 'is never pulled further than the concurrency ahead', reason: pace },
  { test: 'has its threads once, and one count of everything, for five threads that use it', reason: proc },
  { test: 'in one thread leaves the others working; the last one ends the pool', reason: proc },
  { test: 'a worker_thread that is terminated as the last user ends the pool', reason: proc },
  {
    test: 'is one object on all channels: submitted at once, begun when it begins, settled with its times',
    reason: 'the clock of processor time is too coarse for 5 ms',
  },
  {
    test: 'tells times to the fraction of a millisecond, before 1970 too',
    reason: 'Node itself cuts seconds to 32 bits, and wine does not set the time of access',
  },
  { test: 'an input that is detached while its task', reason: unpinned },
  { test: 'is read by all of them, and rejects them all when it is detached', reason: unpinned },
  { test: 'counts free threads in, also within one tick', reason: pace },
];

/** Files that are left out. */
export const leftOut = {
  'test/architecture.test.ts': 'is about the sources, not the system',
  'test/exits.test.ts': 'ends processes by signals and by groups, and looks at them through /proc',
  'test/inputs-end.test.ts': 'memory is not pinned on Windows, and what is resident is read from /proc',
  'test/install.test.ts': 'compiles the addon on the system it runs on',
  'test/readme.test.ts': 'installs the package for each example by a symbolic link',
  'test/resize.test.ts': proc,
  'test/shared-life.test.ts': proc,
  'test/reactor-end.test.ts': fifos,
  'test/stopping.test.ts': 'takes a gigabyte of zeros that is not in memory, which wine puts there',
  'test/streams-end.test.ts': 'looks for open files in /proc, and reads from fifos',
  'test/streams-flow.test.ts': 'looks for open files in /proc, and reads from fifos',
  'test/streams-long.test.ts': 'reads from /proc how much memory is used',
  'test/teardown.test.ts': 'looks at the process through /proc',
  'test/threads.test.ts': proc,
  'test/workflow.test.ts': 'is about the sources, not the system',
  'test/workers.test.ts': 'looks at the process through /proc',
};

/** What runs on a version: of `asked` if there are any. */
export function filesFor(node, asked) {
  if (node === NODES[0]) return asked.length > 0 ? asked : FILES;
  return asked.length > 0 ? DEPENDS_ON_NODE.filter((file) => asked.includes(file)) : DEPENDS_ON_NODE;
}
