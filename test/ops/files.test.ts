import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../lib/index.js';
import { exists, readFile, stat, unlink, writeFile } from '../../lib/ops.js';
import { bytesOf, rejectionOf, SIZES, temporaryFolder, thrownBy, viewsOf } from './support.js';

const inFolder = temporaryFolder();
const isLinux = process.platform === 'linux';
/** There a link needs a privilege, and wine does not follow those that Node makes. */
const onWindows = process.platform === 'win32';

/** What Node says of the same failure, in its own terms. */
async function expectSameRejection(promise: Promise<unknown>, byNode: Promise<unknown>, path: string): Promise<void> {
  const [error, { code, errno, syscall }] = await Promise.all([rejectionOf(promise), rejectionOf(byNode)]);
  expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', errno, syscall, path });
  expect(error.cause).toMatchObject({ code, errno, syscall });
}

describe('writeFile and readFile', () => {
  it.each(SIZES)('carry %i bytes there and back', async (size) => {
    const path = inFolder(`size-${size}`);
    const bytes = bytesOf(size);
    expect(await writeFile(path, bytes)).toBe(undefined);
    expect(fs.readFileSync(path).equals(bytes)).toBe(true);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it.each(viewsOf(bytesOf(4096)))('write a %s', async (_, view) => {
    await writeFile(inFolder('view'), view);
    expect(fs.readFileSync(inFolder('view'))).toEqual(bytesOf(4096));
  });

  it('write text as UTF-8, over what was there', async () => {
    await writeFile(inFolder('text'), 'x'.repeat(100_000));
    await writeFile(inFolder('text'), 'grüße 🌍');
    expect(fs.readFileSync(inFolder('text'), 'utf8')).toBe('grüße 🌍');
  });

  it('make files with the mode that Node gives them', async () => {
    await writeFile(inFolder('mode'), '');
    fs.writeFileSync(inFolder('mode-by-node'), '');
    expect(fs.statSync(inFolder('mode')).mode).toBe(fs.statSync(inFolder('mode-by-node')).mode);
  });

  it.runIf(isLinux)('read to the end what does not tell its size', async () => {
    expect(await readFile('/proc/version')).toEqual(fs.readFileSync('/proc/version'));
    expect((await readFile('/proc/kallsyms')).length).toBeGreaterThan(100_000);
    expect(await readFile('/dev/null')).toEqual(Buffer.alloc(0));
  });

  it.runIf(isLinux)('read a pipe until its writer closes it', async () => {
    execFileSync('mkfifo', [inFolder('pipe')]);
    const bytes = bytesOf(5_000_000);
    await using pool = new Pool({ threads: 2 });
    const [read] = await Promise.all([
      readFile(inFolder('pipe'), { pool }),
      writeFile(inFolder('pipe'), bytes, { pool }),
    ]);
    expect(read.equals(bytes)).toBe(true);
  });

  it('reject what Node rejects, with its errno, syscall and path', async () => {
    fs.writeFileSync(inFolder('plain'), '');
    for (const path of [inFolder('missing'), inFolder('.'), inFolder('plain/below'), `/${'x'.repeat(300)}`, '']) {
      await expectSameRejection(readFile(path), fs.promises.readFile(path), path);
    }
    for (const path of [inFolder('missing/below'), inFolder('.'), inFolder('plain/below'), '']) {
      await expectSameRejection(writeFile(path, 'x'), fs.promises.writeFile(path, 'x'), path);
    }
  });

  it.runIf(isLinux)('report a full disk', async () => {
    await expectSameRejection(writeFile('/dev/full', 'x'), fs.promises.writeFile('/dev/full', 'x'), '/dev/full');
  });

  it.runIf(isLinux)('close what they open, also when they fail', async () => {
    const openFiles = (): number => fs.readdirSync('/proc/self/fd').length;
    await writeFile(inFolder('a'), 'x');
    const before = openFiles();
    for (let i = 0; i < 200; ++i) {
      await Promise.allSettled([
        readFile(inFolder('a')),
        writeFile(inFolder('b'), 'x'),
        readFile(inFolder('.')),
        writeFile('/dev/full', 'x'),
      ]);
    }
    expect(openFiles()).toBe(before);
  });
});

describe('stat', () => {
  it('returns what Node returns', async () => {
    fs.writeFileSync(inFolder('file'), 'abc');
    const paths = [inFolder('file'), inFolder('.'), '/', import.meta.filename];
    if (!onWindows) {
      fs.symlinkSync(inFolder('file'), inFolder('link'));
      paths.push(inFolder('link'), '/dev/null');
    }
    for (const path of paths) {
      const byNode = await fs.promises.stat(path);
      const status = await stat(path);
      expect(status).toStrictEqual(byNode);
      expect(status).toBeInstanceOf(fs.Stats);
      expect(Object.keys(status)).toEqual(Object.keys(byNode));
      expect(status.isDirectory()).toBe(byNode.isDirectory());
      expect(status.mtime).toEqual(byNode.mtime);
      expect(status.birthtime).toEqual(byNode.birthtime);
      if ('mtimeInstant' in byNode) expect(status).toHaveProperty('mtimeInstant', byNode.mtimeInstant);
    }
  });

  it('tells times to the fraction of a millisecond, before 1970 too', async () => {
    fs.writeFileSync(inFolder('old'), '');
    for (const seconds of [1_700_000_000.123456, -1.5, 0, 4_294_967_296.25]) {
      fs.utimesSync(inFolder('old'), seconds, seconds);
      expect(await stat(inFolder('old'))).toStrictEqual(await fs.promises.stat(inFolder('old')));
    }
  });

  it('rejects what Node rejects', async () => {
    fs.symlinkSync(inFolder('nowhere'), inFolder('broken'));
    for (const path of [inFolder('missing'), inFolder('broken'), inFolder('file/below'), '']) {
      await expectSameRejection(stat(path), fs.promises.stat(path), path);
    }
  });
});

describe('exists and unlink', () => {
  it('see and remove files and links, and nothing else', async () => {
    fs.writeFileSync(inFolder('gone'), '');
    if (!onWindows) fs.symlinkSync(inFolder('nowhere'), inFolder('dangling'));
    expect(await exists(inFolder('gone'))).toBe(true);
    expect(await exists(inFolder('dangling'))).toBe(false);
    expect(await exists('')).toBe(false);
    expect(await exists(inFolder('.'))).toBe(true);
    expect(await unlink(inFolder('gone'))).toBe(undefined);
    if (!onWindows) expect(await unlink(inFolder('dangling'))).toBe(undefined);
    expect(await exists(inFolder('gone'))).toBe(false);
    for (const path of [inFolder('gone'), inFolder('.'), '']) {
      await expectSameRejection(unlink(path), fs.promises.unlink(path), path);
    }
  });
});

describe('paths', () => {
  it('are text, bytes or URLs', async () => {
    const path = inFolder('grüße, 世界');
    for (const same of [path, Buffer.from(path), new Uint8Array(Buffer.from(path)), pathToFileURL(path)]) {
      await writeFile(same, 'abc');
      expect(await readFile(same)).toEqual(Buffer.from('abc'));
      expect((await stat(same)).size).toBe(3);
      expect(await exists(same)).toBe(true);
      await unlink(same);
      expect(fs.existsSync(path)).toBe(false);
    }
  });

  it.runIf(isLinux)('need not be UTF-8', async () => {
    const path = Buffer.concat([Buffer.from(inFolder('')), Buffer.from([0x2f, 0xff, 0xfe])]);
    await writeFile(path, 'abc');
    expect(fs.readFileSync(path, 'utf8')).toBe('abc');
    await unlink(path);
  });

  it('that cannot be throw as they do with Node, from every operation', () => {
    const wrong = [
      undefined,
      null,
      5.5,
      {},
      ['x'],
      new ArrayBuffer(1),
      'a\0b',
      Buffer.from('a\0'),
      new URL('http://a/b'),
    ];
    for (const path of wrong) {
      const { name, code } = thrownBy(() => fs.statSync(path as never));
      for (const task of [readFile, stat, exists, unlink]) {
        expect(thrownBy(() => task(path as never))).toMatchObject({ name, code });
      }
      expect(thrownBy(() => writeFile(path as never, ''))).toMatchObject({ name, code });
    }
    expect(thrownBy(() => writeFile(inFolder('x'), 5 as never)).message).toContain('"data"');
  });
});
