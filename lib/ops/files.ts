import type { Stats } from 'node:fs';
import { defineTask } from '../define-task.js';
import type { ReadableTask, WritableTask } from '../task.js';
import { checkData, checkPath, type Data, encodePath, type Path, writeData } from './data.js';
import { toStats } from './stats.js';

/**
 * Reads a whole file, as `fs.promises.readFile(path)` does. A pipe or a device is read to its end and holds its thread
 * until then: aborted or timed out, it rejects at once, and its thread is free when the next bytes come.
 *
 * Progress: bytes, of the file's size; of NaN where it tells none. As a stream: `pool.readable(readFile, [path])`.
 *
 * @returns the bytes, in memory that nobody else uses
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (a null byte in the path), ERR_INVALID_URL_SCHEME
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_SYSTEM with errno, syscall and path, and Node's own error
 *   (ENOENT, EISDIR, EACCES …) as cause
 * @example
 * const bytes = await readFile('package.json');
 */
export const readFile = defineTask<[path: Path], Buffer, ReadableTask<[path: Path]>>({
  name: 'readFile',
  arity: 1,
  stream: { kind: 'readable' },
  encode: encodePath,
});

/**
 * Writes a whole file, as `fs.promises.writeFile(path, data)` does: makes it (mode 0o666 less the umask) or replaces
 * what it held. Stopped or failed on the way, it leaves what has been written so far.
 *
 * Progress: bytes. As a stream: `pool.writable(writeFile, [path])`.
 *
 * @param data - text is written as UTF-8
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (a null byte in the path), ERR_INVALID_URL_SCHEME
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_SYSTEM with errno, syscall and path, and Node's own error
 *   (ENOENT, EISDIR, ENOSPC …) as cause
 * @example
 * await writeFile('out.txt', 'hello');
 */
export const writeFile = defineTask<[path: Path, data: Data], undefined, WritableTask<[path: Path]>>({
  name: 'writeFile',
  arity: 2,
  stream: { kind: 'writable', data: 1 },
  encode([path, data], cells) {
    const checkedPath = checkPath(path);
    const checkedData = checkData('data', data);
    writeData(cells, checkedPath);
    writeData(cells, checkedData);
  },
});

/**
 * Asks what a path is, links followed, as `fs.promises.stat(path)` does.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (a null byte in the path), ERR_INVALID_URL_SCHEME
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_SYSTEM with errno, syscall and path, and Node's own error
 *   (ENOENT, EACCES …) as cause
 * @example
 * const { size, mtime } = await stat('package.json');
 */
export const stat = defineTask<[path: Path], Stats>({
  name: 'stat',
  arity: 1,
  encode: encodePath,
  decode: toStats,
});

/**
 * Asks whether something is there, links followed, as `fs.existsSync(path)` does. By the time the answer is here it may
 * be old: to use a file, open it and see.
 *
 * @returns false too if a folder on the way may not be searched
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (a null byte in the path), ERR_INVALID_URL_SCHEME
 * @rejects as every run: see Pool.run
 * @example
 * if (await exists('cache.db')) await unlink('cache.db');
 */
export const exists = defineTask<[path: Path], boolean>({ name: 'exists', arity: 1, encode: encodePath });

/**
 * Removes a file or a link, as `fs.promises.unlink(path)` does.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (a null byte in the path), ERR_INVALID_URL_SCHEME
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_SYSTEM with errno, syscall and path, and Node's own error
 *   (ENOENT, EISDIR, EACCES …) as cause
 * @example
 * await unlink('out.txt');
 */
export const unlink = defineTask<[path: Path], undefined>({
  name: 'unlink',
  arity: 1,
  encode: encodePath,
});
