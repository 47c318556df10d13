import { createHash } from 'node:crypto';
import { readFile as readFileOfNode } from 'node:fs/promises';
import { resolve } from 'node:path';
import { inspect, promisify } from 'node:util';
import { gunzip as gunzipOfNode } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AbortError, OffloopError, type OffloopErrorCode } from '../lib/index.js';
import { native } from '../lib/native.js';
import { gunzip, hash, noop, readFile, unlink } from '../lib/ops.js';
import { rejection } from './support/gate.js';
import { open } from './support/pools.js';
import { runProgram } from './support/program.js';

/** As complete as the type: the compiler sees to that. */
const codes: Record<OffloopErrorCode, true> = {
  ERR_OFFLOOP_QUEUE_FULL: true,
  ERR_OFFLOOP_DROPPED: true,
  ERR_OFFLOOP_DEADLINE: true,
  ERR_OFFLOOP_TIMEOUT: true,
  ERR_OFFLOOP_BUDGET: true,
  ERR_OFFLOOP_CANCELLED: true,
  ERR_OFFLOOP_CLOSED: true,
  ERR_OFFLOOP_TASK_FAILED: true,
  ERR_OFFLOOP_NO_MEMORY: true,
  ERR_OFFLOOP_SYSTEM: true,
  ERR_OFFLOOP_UNSUPPORTED: true,
  ERR_OFFLOOP_DETACHED: true,
};

describe('the codes of errors', () => {
  test('are those of the native statuses, each with a meaning', () => {
    const failures = native.statuses.filter(([name]) => name !== 'OK');
    expect(failures.map(([name]) => `ERR_OFFLOOP_${name}`)).toEqual(Object.keys(codes));
    for (const [, meaning] of native.statuses) expect(meaning).toMatch(/^\w.{10,}\w$/);
  });
});

describe('an error', () => {
  test('of the system is told as Node tells it, and its cause is the same as Node’s', async () => {
    const path = resolve('/no/such/file');
    const [error, expected] = await Promise.all([
      rejection(open().run(readFile, [path])),
      rejection(readFileOfNode(path)),
    ]);
    expect(error).toBeInstanceOf(OffloopError);
    expect(error).toBeInstanceOf(Error);
    const { errno, syscall, message } = expected;
    expect(error).toMatchObject({
      name: 'OffloopError',
      code: 'ERR_OFFLOOP_SYSTEM',
      task: 'readFile',
      errno,
      syscall,
      path,
      message,
    });
    expect({ ...(error.cause as Error) }).toEqual({ ...expected });
    expect((error.cause as Error).message).toBe(message);
  });

  test('of a library has what the library says as its cause', async () => {
    const garbage = Buffer.from('not gzip at all');
    const expected = await rejection(promisify(gunzipOfNode)(garbage));
    const error = await rejection(open().run(gunzip, [garbage]));
    expect(error).toMatchObject({
      name: 'OffloopError',
      code: 'ERR_OFFLOOP_TASK_FAILED',
      task: 'gunzip',
      errno: expected.errno,
    });
    expect(error.message).toBe(`gunzip: ${expected.message}`);
    expect(error.cause).toMatchObject({ code: expected.code, errno: expected.errno, message: expected.message });
  });

  test('has no details that do not belong to it', async () => {
    const pool = open();
    await pool.close();
    const error = await rejection(pool.run(noop));
    expect(Object.keys(error).toSorted()).toEqual(['code', 'name', 'task']);
    expect('cause' in error).toBe(false);
    expect(error.message).toBe('noop: refused: the pool is closed');
  });

  test('shows its name, its code and its message when it is printed', async () => {
    const shown = inspect(await rejection(open().run(unlink, ['/no/such/file'])));
    expect(shown).toContain('OffloopError');
    expect(shown).toContain("code: 'ERR_OFFLOOP_SYSTEM'");
    expect(shown).toContain("ENOENT: no such file or directory, unlink '/no/such/file'");
  });

  test('of an aborted task is an AbortError like those of Node', async () => {
    const error = await rejection(open().run(noop, [], { signal: AbortSignal.abort() }));
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', message: 'The operation was aborted' });
    expect(error.cause).toMatchObject({ name: 'AbortError', code: 20 }); // the signal's own reason, a DOMException
  });

  test('is another one for every task', async () => {
    const pool = open();
    const [first, second] = await Promise.all([
      rejection(pool.run(readFile, ['/a'])),
      rejection(pool.run(readFile, ['/b'])),
    ]);
    expect(first).not.toBe(second);
    expect([first.path, second.path]).toEqual(['/a', '/b']);
  });
});

test('failing tasks do not lose their neighbours', async () => {
  const pool = open({ threads: 2 });
  const runs = Array.from({ length: 3000 }, (_, i) =>
    i % 3 === 0 ? rejection(pool.run(readFile, [`/missing/${i}`])) : pool.run(hash, ['sha256', `${i}`]),
  );
  const settled = await Promise.all(runs);
  const right = settled.map((value, i) =>
    value instanceof Error
      ? value.path === `/missing/${i}`
      : value.equals(createHash('sha256').update(`${i}`).digest()),
  );
  expect(right.every(Boolean)).toBe(true);
  expect(pool.stats()).toMatchObject({ fulfilled: 2000, rejected: 1000, inFlight: 0 });
});

describe('a rejection', () => {
  test('that nobody handles is reported by Node, and ends the process', async () => {
    const outcome = await runProgram(`
      import { run } from 'offloop';
      import { readFile } from 'offloop/ops';
      run(readFile, ['/no/such/file']);
      setTimeout(() => console.log('still here'), 5000);
    `);
    expect(outcome).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(outcome.stderr).toContain("ENOENT: no such file or directory, open '/no/such/file'");
    expect(outcome.stderr).toContain('ERR_OFFLOOP_SYSTEM');
  });

  test('is reported once for each promise without a handler, and never for one that has one', async () => {
    const outcome = await runProgram(`
      import { Pool } from 'offloop';
      import { readFile, noop } from 'offloop/ops';
      const reported = [];
      const late = [];
      process.on('unhandledRejection', (error) => reported.push(error.path ?? error.code));
      process.on('rejectionHandled', () => late.push('handled late'));
      process.on('warning', (warning) => late.push(warning.name));
      const pool = new Pool({ threads: 1 });
      const controller = new AbortController();
      for (let i = 0; i < 500; ++i) {
        pool.run(readFile, ['/handled']).catch(() => {});
        pool.run(noop, [], { signal: controller.signal }).then(() => {}, () => {});
        pool.run(noop, [], { signal: AbortSignal.abort() }).catch(() => {});
        if (i % 100 === 0) pool.run(readFile, ['/unhandled/' + i]);
      }
      controller.abort();
      await pool.close();
      setImmediate(() => console.log(JSON.stringify({ reported, late })));
    `);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const reported = [0, 100, 200, 300, 400].map((i) => `/unhandled/${i}`);
    expect(JSON.parse(outcome.stdout)).toEqual({ reported, late: [] });
  });
});
