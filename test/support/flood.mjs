// @ts-check
/** Streams of very many bytes, each in a process of its own, and whether they keep to little memory and leave the loop alone. */
import { runProgram, SLOWNESS } from './program.mjs';

const MIB = 2 ** 20;

/**
 * Chunks that have been read are garbage until V8 collects them, some 10 MiB at a time. A reader with memory of its own
 * makes none. What a stream that kept all its bytes would add is more than this in the shortest of floods.
 */
const MOST_GROWN = { gzip: 32 * MIB, gunzip: 32 * MIB, hash: 32 * MIB, readable: 32 * MIB, byob: 8 * MIB };
const MOST_AHEAD = 8 * MIB;

/** @type {typeof import('./flood.mjs').runFlood} */
export async function runFlood({ kind, bytes, mostKeptMs, onMoved }) {
  /** @type {import('./flood-program.mjs').Flood | undefined} */
  let figures;
  const { code, signal, stderr } = await runProgram(
    `import { flood } from './test/support/flood-program.mjs'; await flood({ kind: '${kind}', bytes: ${bytes} });`,
    {
      flags: ['--single-threaded-gc'], // whose other threads keep the loop waiting where they wait for a processor
      timeoutMs: 60_000 + bytes / 5000,
      onLine: (line) => {
        const said = JSON.parse(line);
        if ('moved' in said) onMoved?.(said.moved);
        else figures = said;
      },
    },
  );
  const faults = [];
  if (code !== 0 || signal !== null) faults.push(`ended with ${signal ?? code}`);
  if (stderr !== '') faults.push(`printed on stderr: ${stderr}`);
  if (!figures) return { figures, faults: [...faults, 'told nothing'] };
  const { isRight, grownRss, ahead, keptMaxMs } = figures;
  if (!isRight) faults.push('something else came out');
  // A sanitizer keeps what is freed for a while.
  if (SLOWNESS === 1 && grownRss >= MOST_GROWN[kind])
    faults.push(`resident memory grew by ${(grownRss / MIB).toFixed(1)} MiB`);
  if (ahead >= MOST_AHEAD) faults.push(`was ${(ahead / MIB).toFixed(1)} MiB ahead of its reader`);
  if (keptMaxMs >= mostKeptMs * SLOWNESS) faults.push(`kept the loop for ${keptMaxMs.toFixed(1)} ms`);
  return { figures, faults };
}
