// @ts-check
/** The inside of a flood: one stream of very many bytes, and what the process has to say about it meanwhile. */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Pool } from 'offloop';
import { gunzip, gzip, hash, readFile } from 'offloop/ops';
import { positionIn } from './proc.mjs';

const CHUNK = 64 * 1024;
const FIRST = 64 * CHUNK;
const SAMPLES = 100;
/** Behind this part of the bytes memory is as warm as it gets. */
const WARM = 0.2;

/** What repeats itself, but not at once, and what unpacks to it: a member of the gzip format that only stores. */
const chunk = Buffer.alloc(CHUNK);
for (let at = 0; at < CHUNK; ++at) chunk[at] = (at * at) >> 7;
const member = gzipSync(chunk, { level: 0 });

/**
 * How long the loop is kept. Timers are late for another reason too: the thread waits for a processor. So what counts is
 * how late a timer is without that, and no more than the processor time that the thread has used since the last.
 */
class LoopWatch {
  #delay = monitorEventLoopDelay({ resolution: 1 });
  #last = { at: performance.now(), ...timesOfThread() };
  #longest = 0;
  #timer = setTimeout(() => this.#look(), 1).unref();

  constructor() {
    this.#delay.enable();
  }

  #look() {
    const now = { at: performance.now(), ...timesOfThread() };
    const { at, usedMs, waitedMs } = this.#last;
    const kept = Math.min(now.usedMs - usedMs, now.at - at - 1 - (now.waitedMs - waitedMs));
    this.#longest = Math.max(this.#longest, kept);
    this.#last = now;
    this.#timer = setTimeout(() => this.#look(), 1).unref();
  }

  stop() {
    this.#delay.disable();
    clearTimeout(this.#timer);
    const [delayP99Ms, delayMaxMs] = [this.#delay.percentile(99) / 1e6, this.#delay.max / 1e6];
    return { delayP99Ms, delayMaxMs, keptMaxMs: this.#longest };
  }
}

/** How long this thread has run, and has been ready to run and has not, in all. */
function timesOfThread() {
  const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
  const [usedMs, waitedMs] = text.split(' ').map((ns) => Number(ns) / 1e6);
  return { usedMs, waitedMs };
}

/** @type {typeof import('./flood-program.mjs').flood} */
export async function flood({ kind, bytes }) {
  const pool = new Pool({ name: 'flood', threads: 2 });
  (await kinds[kind]({ pool, bytes: FIRST, sample() {} })).check?.(); // loads and compiles all that there is
  const watch = new LoopWatch();
  const began = performance.now();
  let warmRss = 0;
  let mostRss = 0;
  let nextSample = 0;
  /** @param {number} moved */
  const sample = (moved) => {
    if (moved < nextSample) return;
    nextSample = moved + bytes / SAMPLES;
    const rss = process.memoryUsage.rss();
    if (moved < bytes * WARM) warmRss = Math.max(warmRss, rss);
    mostRss = Math.max(mostRss, rss);
    print({ moved });
  };
  const { came, ahead = 0, check } = await kinds[kind]({ pool, bytes, sample });
  const seconds = (performance.now() - began) / 1000;
  const loop = watch.stop();
  await pool.close();
  const isRight = check?.() ?? true;
  print({ kind, bytes, came, isRight, seconds, warmRss, grownRss: mostRss - warmRss, ahead, ...loop });
}

/** @param {object} line */
function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/**
 * @typedef {{ pool: Pool, bytes: number, sample: (moved: number) => void }} Course
 * @typedef {{ came: number, ahead?: number, check?: () => boolean }} End
 */
/** @type {Record<import('./flood-program.mjs').FloodKind, (course: Course) => Promise<End>>} */
const kinds = {
  /** Level 1: the slowest would take an hour. */
  async gzip({ pool, bytes, sample }) {
    return { came: await count(repeated(chunk, bytes, sample).pipeThrough(pool.transform(gzip, [{ level: 1 }]))) };
  },
  async gunzip({ pool, bytes, sample }) {
    const came = await count(repeated(member, bytes, sample).pipeThrough(pool.transform(gunzip)));
    return { came, check: () => came === Math.ceil(bytes / member.length) * CHUNK };
  },
  async hash({ pool, bytes, sample }) {
    const through = repeated(chunk, bytes, sample).pipeThrough(pool.transform(hash, ['sha256']));
    const digests = [];
    for await (const digest of through) digests.push(digest);
    const check = () => {
      const expected = createHash('sha256');
      for (let at = 0; at < bytes; at += CHUNK) expected.update(chunk);
      return expected.digest().equals(Buffer.concat(digests));
    };
    return { came: digests.length, check };
  },
  /** A fast producer and a reader that takes its time, with the stream's memory or with its own. */
  readable: (course) => readSlowly(course, false),
  byob: (course) => readSlowly(course, true),
};

/** @param {Course} course @param {boolean} withOwnMemory @returns {Promise<End>} */
async function readSlowly({ pool, bytes, sample }, withOwnMemory) {
  const folder = mkdtempSync(join(tmpdir(), 'offloop-'));
  const path = join(folder, 'zeros');
  closeSync(openSync(path, 'w'));
  truncateSync(path, bytes); // takes no room
  const stream = pool.readable(readFile, [path]);
  const byob = withOwnMemory ? stream.getReader({ mode: 'byob' }) : undefined;
  const reader = withOwnMemory ? undefined : stream.getReader();
  let memory = new Uint8Array(CHUNK);
  let came = 0;
  let ahead = 0;
  for (let turn = 0; ; ++turn) {
    const { value, done } = byob
      ? await byob.read(memory)
      : await /** @type {NonNullable<typeof reader>} */ (reader).read();
    if (done) break;
    came += value.byteLength;
    if (withOwnMemory) memory = new Uint8Array(value.buffer);
    sample(came);
    if (turn % 16 === 0) {
      await pause(1);
      ahead = Math.max(ahead, (positionIn(path) ?? came) - came);
    } else {
      await nextTurn();
    }
  }
  const check = () => {
    rmSync(folder, { recursive: true }); // not before: it takes the system 10 ms to forget so large a file
    return came === bytes;
  };
  return { came, ahead, check };
}

/** The same chunk again and again. @param {Buffer} again @param {number} bytes @param {(moved: number) => void} sample */
function repeated(again, bytes, sample) {
  let moved = 0;
  return new ReadableStream({
    pull(controller) {
      sample(moved);
      if (moved >= bytes) return controller.close();
      moved += again.length;
      controller.enqueue(again);
    },
  });
}

/** @param {ReadableStream<Uint8Array>} stream */
async function count(stream) {
  let came = 0;
  for await (const { byteLength } of stream) came += byteLength;
  return came;
}
