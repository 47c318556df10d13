/** The built-in operations. Each is a task: call it, or hand it to a pool. */
export { fromBase64, toBase64 } from './ops/base64.js';
export { type DeflateOptions, deflate, gunzip, gzip, type InflateOptions, inflate } from './ops/compress.js';
export type { Data, Path, TaskWithOptions } from './ops/data.js';
export { pbkdf2, type ScryptOptions, scrypt } from './ops/derive.js';
export { exists, readFile, stat, unlink, writeFile } from './ops/files.js';
export { hash } from './ops/hash.js';
export { readLines } from './ops/lines.js';
export { lookup } from './ops/lookup.js';
export { produce, relay } from './ops/queues.js';
export { noop, sleep, spin } from './ops/time.js';
