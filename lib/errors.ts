/** The errors that tasks end with, made from native statuses. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { type NativeFailure, native } from './native.js';

/**
 * What an OffloopError's `code` can be. Never run, or never sent: QUEUE_FULL and DROPPED (the pool or the queue was full:
 * refused, or given up), DEADLINE (not begun in time), CLOSED (what it was for, or what it waited for). Stopped: TIMEOUT,
 * BUDGET (of processor time), CANCELLED (by its Future, or with its pool). Failed: TASK_FAILED, NO_MEMORY, SYSTEM (a refused
 * system call), UNSUPPORTED (by this runtime or system, or while somebody else receives), DETACHED (an input's ArrayBuffer).
 */
export type OffloopErrorCode =
  | 'ERR_OFFLOOP_QUEUE_FULL'
  | 'ERR_OFFLOOP_DROPPED'
  | 'ERR_OFFLOOP_DEADLINE'
  | 'ERR_OFFLOOP_TIMEOUT'
  | 'ERR_OFFLOOP_BUDGET'
  | 'ERR_OFFLOOP_CANCELLED'
  | 'ERR_OFFLOOP_CLOSED'
  | 'ERR_OFFLOOP_TASK_FAILED'
  | 'ERR_OFFLOOP_NO_MEMORY'
  | 'ERR_OFFLOOP_SYSTEM'
  | 'ERR_OFFLOOP_UNSUPPORTED'
  | 'ERR_OFFLOOP_DETACHED';

/** A task that did not succeed, or was never accepted. `cause` is what the system or a library said, as Node would say it. */
export class OffloopError extends Error {
  override readonly name = 'OffloopError';
  readonly code: OffloopErrorCode;
  /** The task's name, where there is one. */
  declare readonly task?: string;
  /** A failed system call: the negative errno, as Node has it. Of a resolver or a library: its own number. */
  declare readonly errno?: number;
  /** A failed system call's name; of a resolver, `getaddrinfo`. */
  declare readonly syscall?: string;
  /** The file that a failed system call was about. */
  declare readonly path?: string;
  /** The host that could not be resolved. */
  declare readonly hostname?: string;

  constructor(code: OffloopErrorCode, message: string, details: Partial<OffloopError> = {}) {
    const { cause, ...own } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    Object.assign(this, own);
  }
}

/** What a task rejects with when its signal is aborted; `cause` is the signal's reason. As in Node's own APIs. */
export class AbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';

  constructor(reason: unknown) {
    super('The operation was aborted', { cause: reason });
  }
}

/** An error of native origin in this process's own words: `name` is a status without its prefix. */
export function statusError(name: string, task?: string): OffloopError {
  const meaning = native.statuses.find(([known]) => known === name)?.[1] ?? name;
  return new OffloopError(codeOf(name), task ? `${task}: ${meaning}` : meaning, task ? { task } : {});
}

/** The error of a task that a limit has cut short. */
export function cutError(status: number, task: string): OffloopError {
  return statusError((native.statuses[status] as readonly [string, string])[0], task);
}

/** The error of a system call that was refused. @param number - negative, as native code tells it */
export function systemError(number: number, syscall: string): OffloopError {
  const errno = numberInNode(number);
  const cause = systemCause(errno, syscall, undefined);
  const code = STATUS_OF[(cause as NodeJS.ErrnoException).code as string] ?? 'SYSTEM';
  return new OffloopError(codeOf(code), cause.message, { errno, syscall, cause });
}

/** Of refusals that are not the system's mood. */
const STATUS_OF: Readonly<Record<string, string>> = { ENOMEM: 'NO_MEMORY', ENOTSUP: 'UNSUPPORTED' };

/** Makes the error of a failed task. */
export function failureError(failure: NativeFailure): OffloopError {
  const [name, meaning] = native.statuses[failure.status] as readonly [string, string];
  const { task, source, syscall } = failure;
  const number = source === 'library' ? failure.number : numberInNode(failure.number);
  const subject = failure.subject?.toString();
  if (source === 'system') {
    const cause = systemCause(number, syscall, subject);
    const what = syscall === 'getaddrinfo' ? { hostname: subject } : { path: subject };
    return new OffloopError(codeOf(name), cause.message, { task, errno: number, syscall, ...what, cause });
  }
  if (source === 'resolver') {
    const about = { syscall, hostname: subject };
    const cause = nodeLike(`${syscall} ${failure.name} ${subject}`, failure.name, number, about);
    return new OffloopError(codeOf(name), cause.message, { task, errno: number, ...about, cause });
  }
  if (source === 'library') {
    const cause = nodeLike(failure.message, failure.name, number, {});
    return new OffloopError(codeOf(name), `${task}: ${failure.message}`, { task, errno: number, cause });
  }
  return new OffloopError(codeOf(name), `${task}: ${failure.message || meaning}`, { task });
}

function codeOf(status: string): OffloopErrorCode {
  return `ERR_OFFLOOP_${status}` as OffloopErrorCode;
}

const C_NUMBERS: Readonly<Record<string, number>> = constants.errno;

/** Windows has no errno: native code tells the numbers of C there, and Node those of libuv. By the former, the latter. */
const LIBUV_NUMBERS: ReadonlyMap<number, number> = new Map(
  process.platform === 'win32'
    ? [...getSystemErrorMap()].map(([number, [name]]) => [-(C_NUMBERS[name] ?? Number.NaN), number])
    : [],
);

/** What Node calls the number that native code tells of the system or the resolver. */
function numberInNode(errno: number): number {
  return LIBUV_NUMBERS.get(errno) ?? errno;
}

/** Calls that work on an open file: Node's errors name no path then. */
const ON_DESCRIPTOR: ReadonlySet<string> = new Set(['read', 'write', 'fstat', 'close']);

function systemCause(errno: number, syscall: string, subject: string | undefined): Error {
  const [code, what] = getSystemErrorMap().get(errno) ?? [`errno ${-errno}`, 'unknown error'];
  const message = `${code}: ${what}, ${syscall}`;
  if (subject === undefined || ON_DESCRIPTOR.has(syscall)) return nodeLike(message, code, errno, { syscall });
  return nodeLike(`${message} '${subject}'`, code, errno, { syscall, path: subject });
}

function nodeLike(message: string, code: string, errno: number, more: object): Error {
  return Object.assign(new Error(message), { errno, code, ...more });
}
