import { checkObject } from '../check.js';
import type { TransformTask } from '../task.js';
import { checkData, checkOption, type Data, defineTaskWithOptions, type TaskWithOptions, writeData } from './data.js';

/** Options of {@link deflate} and {@link gzip}, as Node's zlib has them. */
export interface DeflateOptions {
  /** 0 (stored) … 9 (smallest); −1 is zlib's own choice, 6. Default: −1. */
  level?: number;
  /** Two to this power is the window, in bytes: 8 (gzip: 9) … 15. Default: 15. */
  windowBits?: number;
  /** 1 (least memory) … 9 (fastest). Default: 8. */
  memLevel?: number;
  /** One of `zlib.constants`, from Z_DEFAULT_STRATEGY to Z_FIXED. Default: Z_DEFAULT_STRATEGY. */
  strategy?: number;
}

/** Options of {@link inflate} and {@link gunzip}, as Node's zlib has them. */
export interface InflateOptions {
  /** The largest window to accept, 8 … 15; 0: whatever the data says. Default: 0. */
  windowBits?: number;
}

/**
 * Compresses into zlib's format, byte for byte as `zlib.deflate` does.
 *
 * From 4 KiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes of the data.
 * On a stream: `pool.transform(deflate, [{ level: 9 }])`.
 *
 * @param data - text is compressed as UTF-8
 * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_UNSUPPORTED where the runtime brings no zlib
 * @example
 * const packed = await deflate(bytes, { level: 9 });
 */
export const deflate = defineCompression('deflate', 8);

/**
 * Compresses into the gzip format, byte for byte as `zlib.gzip` does.
 *
 * From 4 KiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes of the data.
 * On a stream: `pool.transform(gzip, [{ level: 9 }])`.
 *
 * @param data - text is compressed as UTF-8
 * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_UNSUPPORTED where the runtime brings no zlib
 * @example
 * const packed = await gzip(await readFile('package.json'));
 */
export const gzip = defineCompression('gzip', 9);

/**
 * Undoes {@link deflate}, as `zlib.inflate` does. What follows the end of the data is ignored.
 *
 * From 4 KiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes of the data.
 * On a stream: `pool.transform(inflate)`.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_TASK_FAILED with Node's own error as cause (Z_DATA_ERROR, Z_BUF_ERROR
 *   for an early end, Z_NEED_DICT); ERR_OFFLOOP_UNSUPPORTED where the runtime brings no zlib
 * @example
 * const bytes = await inflate(packed);
 */
export const inflate = defineDecompression('inflate');

/**
 * Undoes {@link gzip}, as `zlib.gunzip` does: members one after another become one result, and padding of zeros after
 * the last is ignored.
 *
 * From 4 KiB on it takes turns of 10 ms with the tasks that wait for a thread. Progress: bytes of the data.
 * On a stream: `pool.transform(gunzip)`.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE; RangeError ERR_OUT_OF_RANGE
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_TASK_FAILED with Node's own error as cause (Z_DATA_ERROR, Z_BUF_ERROR
 *   for an early end); ERR_OFFLOOP_UNSUPPORTED where the runtime brings no zlib
 * @example
 * const bytes = await gunzip(packed);
 */
export const gunzip = defineDecompression('gunzip');

function defineCompression(
  name: string,
  leastWindowBits: number,
): TaskWithOptions<[data: Data], DeflateOptions, Buffer> & TransformTask<[options?: DeflateOptions]> {
  return defineTaskWithOptions({
    name,
    arity: 1,
    stream: { kind: 'transform', data: 0 },
    encode([data, options], cells) {
      const { level, windowBits, memLevel, strategy } = checkOptions(options);
      const numbers = [
        checkOption('options.level', level, -1, 9, -1),
        checkOption('options.windowBits', windowBits, leastWindowBits, 15, 15),
        checkOption('options.memLevel', memLevel, 1, 9, 8),
        checkOption('options.strategy', strategy, 0, 4, 0),
      ];
      const checked = checkData('data', data);
      writeData(cells, checked);
      for (const number of numbers) cells.number(number);
    },
  });
}

function defineDecompression(
  name: string,
): TaskWithOptions<[data: Data], InflateOptions, Buffer> & TransformTask<[options?: InflateOptions]> {
  return defineTaskWithOptions({
    name,
    arity: 1,
    stream: { kind: 'transform', data: 0 },
    encode([data, options], cells) {
      const { windowBits } = checkOptions<InflateOptions>(options);
      const bits = windowBits === 0 ? 0 : checkOption('options.windowBits', windowBits, 8, 15, 0);
      const checked = checkData('data', data);
      writeData(cells, checked);
      cells.number(bits);
    },
  });
}

/** Absent options may be null, as with Node. */
function checkOptions<Options extends DeflateOptions>(options: Options | null | undefined): Options {
  return checkObject('options', options ?? {}) as Options;
}
