import { describe, expect, test } from 'vitest';
import { createOutboundPolicy } from './outbound-policy.ts';

const resolve = (host: string, allowed = '') =>
  new Promise<string>((done) =>
    createOutboundPolicy(allowed).lookup(host, {}, (error, address) =>
      done(error ? ((error as { code?: string }).code ?? 'error') : String(address)),
    ),
  );

describe('OutboundPolicy', () => {
  test.each([
    '127.0.0.1',
    '127.255.0.3',
    '0.0.0.0',
    '169.254.169.254',
    '100.100.100.200',
    '[::1]',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
  ])('check rejects the blocked address %s (OWASP API7)', (address) => {
    expect(() => createOutboundPolicy('').check(address)).toThrow(expect.objectContaining({ code: 'address_refused' }));
  });

  test.each(['10.0.0.5', '192.168.1.1', '93.184.216.34', '2606:2800:220:1::', 'fd12::1', 'warehouse.example'])(
    'check accepts %s',
    (address) => {
      expect(() => createOutboundPolicy('').check(address)).not.toThrow();
    },
  );

  test('lookup rejects a name that resolves to a blocked address', async () => {
    expect(await resolve('localhost')).toBe('address_refused');
    expect(await resolve('localhost', '127.0.0.0/8,::1')).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await resolve('nowhere.invalid')).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  test('check accepts a blocked address only if the operator allows it', () => {
    const policy = createOutboundPolicy('127.0.0.1, 169.254.0.0/16');
    expect(() => policy.check('127.0.0.1')).not.toThrow();
    expect(() => policy.check('169.254.169.254')).not.toThrow();
    expect(() => policy.check('127.0.0.2')).toThrow();
    for (const malformed of ['localhost', '10.0.0.0/33', '10.0.0.0/x', '1.2.3']) {
      expect(() => createOutboundPolicy(malformed), malformed).toThrow(
        expect.objectContaining({ code: 'configuration', message: expect.stringContaining(malformed) }),
      );
    }
  });
});
