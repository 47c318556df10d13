import { describe, expect, it } from 'vitest';
import { Pool, run } from '../../lib/index.js';
import { noop, sleep, spin } from '../../lib/ops.js';
import { rejectionOf, thrownBy } from './support.js';

describe('noop', () => {
  it('returns undefined, called or run', async () => {
    expect(await noop()).toBe(undefined);
    expect(await run(noop)).toBe(undefined);
  });
});

describe('sleep', () => {
  it('waits as long as it is told, and never less', async () => {
    for (const ms of [0, 0.5, 20]) {
      const began = performance.now();
      expect(await sleep(ms)).toBe(undefined);
      expect(performance.now() - began).toBeGreaterThanOrEqual(ms);
    }
  });

  it('holds no thread meanwhile', async () => {
    await using pool = new Pool({ threads: 1 });
    const began = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => sleep(100, { pool })));
    expect(performance.now() - began).toBeLessThan(2000); // one after another: 10 s
  });

  it('ends at once when it is cancelled, however long it was to be', async () => {
    const abort = new AbortController();
    const sleeping = sleep(Number.MAX_SAFE_INTEGER, { signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    expect(await rejectionOf(sleeping)).toMatchObject({ code: 'ABORT_ERR' });
  });
});

describe('spin', () => {
  it('burns the time it is told to', async () => {
    const began = performance.now();
    expect(await spin(20)).toBe(undefined);
    expect(performance.now() - began).toBeGreaterThanOrEqual(20);
  });

  it('sees its stop flag', async () => {
    await using pool = new Pool({ threads: 1 });
    const spinning = spin(60_000, { pool, signal: AbortSignal.timeout(10) });
    expect(await rejectionOf(spinning)).toMatchObject({ code: 'ABORT_ERR' });
    await noop({ pool }); // the thread is free again
  });
});

describe('milliseconds', () => {
  it.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    ['5', 'ERR_INVALID_ARG_TYPE'],
    [5n, 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [Infinity, 'ERR_OUT_OF_RANGE'],
  ])('cannot be %o', (ms, code) => {
    for (const task of [sleep, spin]) {
      const error = thrownBy(() => task(ms as never));
      expect(error.code).toBe(code);
      expect(error.message).toContain('"ms"');
    }
  });
});
