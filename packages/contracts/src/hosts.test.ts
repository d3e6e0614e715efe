import { describe, expect, test } from 'vitest';
import { parseHost } from './hosts.ts';

describe('parseHost', () => {
  test.each([
    ['warehouse.example.com', 'warehouse.example.com'],
    ['warehouse.example.com.', 'warehouse.example.com.'],
    ['localhost', 'localhost'],
    ['my_database', 'my_database'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['3com.example', '3com.example'],
    ['10.0.0.7', '10.0.0.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('accepts %s and returns the host to connect to', (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  test.each([
    ['', /empty/],
    ['/var/run/postgresql', /sockets/],
    ['@socket', /sockets/],
    ['./run', /path/],
    ['..', /path/],
    ['a/b', /path/],
    ['a\\b', /path/],
    ['%2Fvar%2Frun', /path/],
    ['postgres://host', /scheme/],
    ['host:5432', /port/],
    ['[::1]:5432', /port/],
    ['[::1', /port/],
    ['[127.0.0.1]', /IPv6/],
    ['[fe80::1%eth0]', /IPv6/],
    ['fe80::1%eth0', /part/],
    ['user@host', /user/],
    ['host?x=1', /part/],
    ['host#x', /part/],
    ['a,b', /list/],
    ['a b', /part/],
    [' a', /part/],
    ['a\n', /part/],
    ['a\u0000b', /part/],
    ['-a.example', /part/],
    ['a..b', /part/],
    ['bücher.example', /xn--bcher-kva\.example/],
    ['ａ.example', /a\.example/],
    ['127.1', /part/],
    ['2130706433', /part/],
    ['0x7f000001', /part/],
    ['999.1.1.1', /part/],
    [`${'a'.repeat(64)}.example`, /part/],
    ['a.'.repeat(130), /253/],
  ])('rejects %j with a reason', (text, reason) => {
    expect(() => parseHost(text)).toThrow(reason);
  });
});
