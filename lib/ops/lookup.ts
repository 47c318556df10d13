import { getDefaultResultOrder, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { checkText, invalidValue } from '../check.js';
import { defineTask } from '../define-task.js';

/** As the native body counts them. */
const kOrders: readonly string[] = ['verbatim', 'ipv4first', 'ipv6first'];

/**
 * Finds the address of a host, as `dns.promises.lookup(host)` does: by the system's own resolver, with its files and its
 * configuration, and in the order that `dns.setDefaultResultOrder` has set. An address is its own answer.
 *
 * The resolver cannot be stopped: aborted or timed out while it runs, a look-up rejects at once, and its thread is free
 * when the resolver answers.
 *
 * @param host - a name, in any script, or an address
 * @returns the first address, and 4 or 6
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (empty, or with a null byte)
 * @rejects as every run: see Pool.run; ERR_OFFLOOP_SYSTEM with errno, syscall `getaddrinfo` and hostname, and Node's own
 *   error (ENOTFOUND, EAI_AGAIN …) as cause
 * @example
 * const { address, family } = await lookup('localhost');
 */
export const lookup = defineTask<[host: string], LookupAddress>({
  name: 'lookup',
  arity: 1,
  encode([host], cells) {
    const name = checkText('hostname', host);
    if (name === '') throw invalidValue('hostname', 'must be a non-empty string', host);
    if (name.includes('\0')) throw invalidValue('hostname', 'must be a string without null bytes', host);
    cells.text(name);
    cells.text(isAscii(name) ? name : domainToASCII(name) || name);
    cells.number(isIP(name));
    cells.number(Math.max(0, kOrders.indexOf(getDefaultResultOrder())));
  },
  decode: ([address, family]: [string, number]) => ({ address, family }),
});

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
