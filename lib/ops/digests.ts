/** Names of digest algorithms, known to Node or not. */
import { checkText } from '../check.js';

/** In lower case. */
let known: Set<string> | undefined;

/**
 * @returns the name as the native side wants it, in lower case
 * @throws TypeError ERR_CRYPTO_INVALID_DIGEST
 */
export function checkDigest(argument: string, value: unknown): string {
  const name = checkText(argument, value);
  if (known?.has(name)) return name;
  // Loaded late: it takes longer than all of offloop.
  const crypto = process.getBuiltinModule('node:crypto');
  known ??= new Set(crypto.getHashes().map((listed) => listed.toLowerCase()));
  const lower = name.toLowerCase();
  if (known.has(lower)) return lower;
  try {
    crypto.createHash(name); // knows more names than it lists
  } catch {
    throw Object.assign(new TypeError(`Invalid digest: ${name}`), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
  }
  known.add(lower);
  return lower;
}
