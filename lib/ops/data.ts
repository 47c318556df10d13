/** Arguments that several operations take: data, paths, and options of their own. */
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import type { CellWriter } from '../cells.js';
import { checkNumber, type Data, invalidType, invalidValue } from '../check.js';
import { defineTask, type TaskOptions } from '../define-task.js';
import type { CallOptions, Definition } from '../task.js';

export { checkData, type Data } from '../check.js';

/** As Node's own functions take it: text, bytes for names that are not UTF-8, or a `file:` URL. */
export type Path = string | Uint8Array | URL;

export function writeData(cells: CellWriter, data: Data): void {
  if (typeof data === 'string') cells.text(data);
  else cells.bytes(data);
}

export function checkPath(value: unknown): string | Uint8Array {
  const path = value instanceof URL ? fileURLToPath(value) : value;
  const isText = typeof path === 'string';
  if (!isText && !types.isUint8Array(path)) {
    throw invalidType('path', 'of type string or an instance of Buffer or URL', value);
  }
  if (isText ? path.includes('\0') : path.includes(0)) {
    throw invalidValue('path', 'must be a string, Uint8Array, or URL without null bytes', value);
  }
  return path;
}

/** One argument, a path, and nothing else. */
export function encodePath([path]: readonly [path: Path], cells: CellWriter): void {
  writeData(cells, checkPath(path));
}

/** @returns the number, or `fallback` for what Node takes for an absent option: undefined and NaN */
export function checkOption(name: string, value: unknown, min: number, max: number, fallback: number): number {
  if (value === undefined || Number.isNaN(value)) return fallback;
  return checkNumber(name, value, min, max);
}

/** A task with options of its own. When it is called, they share the last argument with the call's. */
export interface TaskWithOptions<Args extends readonly unknown[], Own extends object, Result> {
  (...args: [...Args, options?: Own & CallOptions]): Promise<Result>;
  readonly definition: Definition<[...Args, options?: Own], Result>;
}

export function defineTaskWithOptions<
  Args extends readonly unknown[],
  Own extends object,
  Result,
  OnStreams extends object = object,
>(
  options: Omit<TaskOptions<[...Args, options?: Own], Result>, 'ownOptions'>,
): TaskWithOptions<Args, Own, Result> & OnStreams {
  return defineTask<[...Args, options?: Own], Result>({ ...options, ownOptions: true }) as never;
}
