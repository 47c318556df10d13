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

const FILES = [
  ...DEPENDS_ON_NODE,
  'test/close.test.ts',
  'test/combinators.test.ts',
  'test/limits.test.ts',
  'test/map.test.ts',
  'test/options.test.ts',
  'test/ops/base64.test.ts',
  'test/ops/compress.test.ts',
  'test/ops/derive.test.ts',
  'test/ops/lookup.test.ts',
  'test/ops/progress.test.ts',
  'test/ops/time.test.ts',
  'test/overflow.test.ts',
  'test/queue.test.ts',
  'test/queue-threads.test.ts',
  'test/scheduling.test.ts',
  'test/stats.test.ts',
  'test/streams.test.ts',
  'test/wake.test.ts',
  'test/worker.test.ts',
];

/** Files that are left out. */
export const leftOut = {
  'test/architecture.test.ts': 'is about the sources, not the system',
  'test/exits.test.ts': 'ends processes by signals and by groups, and looks at them through /proc',
  'test/install.test.ts': 'compiles the addon on the system it runs on',
  'test/readme.test.ts': 'installs the package for each example by a symbolic link',
  'test/turns.test.ts': 'compresses gigabytes in all, which takes minutes under wine',
  'test/lines.test.ts': 'needs descriptors of POSIX: lines() is not there on Windows yet',
  'test/reactor.test.ts': 'takes descriptors from sockets of Node, which has none to give on Windows',
  'test/socket.test.ts':
    'expects of three errors what they are called elsewhere: they are told as EIO, or not at all, there yet',
  'test/stopping.test.ts': 'takes a gigabyte of zeros that is not in memory, which wine puts there',
};

/** Tests that are left out of the files that run, by a part of their name. */
export const cannotRun = [
  { test: 'come in the order of the source, whichever is finished first', reason: 'there are no fifos' },
  { test: 'come as they are finished where that is what was asked for', reason: 'there are no fifos' },
  { test: 'is not used up by waiting in a system call', reason: 'there are no fifos' },
  {
    test: 'is a thread of its own, by its own name, until it has been joined',
    reason: 'looks at threads through /proc',
  },
];

export const filesFor = (node) => (node === NODES[0] ? FILES : DEPENDS_ON_NODE);
