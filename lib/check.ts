/** Checks of what callers pass in: mistakes throw at once, with Node's own error codes, and name the argument. */
import { inspect, types } from 'node:util';

/** Binary input of any kind, as Node's own functions take it. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value); // not by instanceof: other realms, and proxies
}

/** Text, which stands for its UTF-8, or bytes of any kind. */
export type Data = string | Bytes;

/** @returns a TypeError with code ERR_INVALID_ARG_TYPE */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const message = `The ${nameOf(name)} must be ${expected}. Received ${received(value)}`;
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** @returns a TypeError with code ERR_INVALID_ARG_VALUE */
export function invalidValue(name: string, reason: string, value: unknown): TypeError {
  const message = `The ${nameOf(name)} ${reason}. Received ${received(value)}`;
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

/** @returns a RangeError with code ERR_OUT_OF_RANGE */
export function outOfRange(name: string, range: string, value: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${received(value)}`;
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

export function checkNumber(name: string, value: unknown, min = -Infinity, max = Infinity): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= min && value <= max)) {
    throw outOfRange(name, max === Number.POSITIVE_INFINITY ? `>= ${min}` : `>= ${min} && <= ${max}`, value);
  }
  return value;
}

export function checkInteger(name: string, value: unknown, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  return checkNumber(name, value, min, max);
}

export function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  return value;
}

export function checkBytes(name: string, value: unknown): Bytes {
  if (!isBytes(value)) throw invalidType(name, 'an instance of Buffer, TypedArray, DataView or ArrayBuffer', value);
  return value;
}

export function checkData(name: string, value: unknown): Data {
  if (typeof value !== 'string' && !isBytes(value)) {
    throw invalidType(name, 'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer', value);
  }
  return value;
}

export function checkObject(name: string, value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, 'of type object', value);
  return value;
}

export function checkSignal(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw invalidType(name, 'an instance of AbortSignal', value);
}

export function checkOneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (!choices.includes(value as T)) throw invalidValue(name, `must be one of: '${choices.join("', '")}'`, value);
  return value as T;
}

/** Node calls `a.b` and `a[0]` properties, and the rest arguments. */
function nameOf(name: string): string {
  return /[.[]/.test(name) ? `property "${name}"` : `"${name}" argument`;
}

function received(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value.constructor as { name?: string } | undefined)?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
  return `type ${typeof value} (${shown})`;
}
