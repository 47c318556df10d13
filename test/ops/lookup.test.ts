import * as dns from 'node:dns';
import { afterEach, describe, expect, it } from 'vitest';
import { lookup } from '../../lib/ops.js';
import { rejectionOf, thrownBy } from './support.js';

const order = dns.getDefaultResultOrder();
afterEach(() => dns.setDefaultResultOrder(order));

describe('lookup', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.1', '::1', 'FE80:0::01', '::ffff:1.2.3.4', 'ｌocalhost'])(
    'finds what Node finds: %s',
    async (host) => {
      expect(await lookup(host)).toEqual(await dns.promises.lookup(host));
    },
  );

  it('keeps to the order that is set for Node', async () => {
    for (const wanted of ['verbatim', 'ipv4first'] as const) {
      dns.setDefaultResultOrder(wanted);
      expect(await lookup('localhost')).toEqual(await dns.promises.lookup('localhost'));
    }
  });

  it.each(['nope.invalid', 'a b', 'x'.repeat(64), 'x'.repeat(255), 'x'.repeat(256), 'münchen.invalid', '..', '-'])(
    'rejects what Node rejects, with errno, syscall and hostname: %s',
    async (host) => {
      const { code, errno, syscall } = await rejectionOf(dns.promises.lookup(host));
      const error = await rejectionOf(lookup(host));
      expect(error).toMatchObject({ code: 'ERR_OFFLOOP_SYSTEM', errno, syscall, hostname: host });
      expect(error.cause).toMatchObject({ code, errno, syscall, hostname: host });
    },
  );

  it('throws for what cannot be a name', () => {
    expect(thrownBy(() => lookup(5 as never))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    for (const host of ['', 'local\0host']) {
      expect(thrownBy(() => lookup(host))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
  });
});
