import { expect, test } from 'vitest';
import { buildAccount, parseSubdomain } from './account-url.ts';

test('parseSubdomain accepts a label, a host name or a URL of the account', () => {
  for (const input of [
    'acme',
    ' ACME ',
    'acme.freshdesk.com',
    'https://acme.freshdesk.com',
    'https://acme.freshdesk.com/a/tickets?x=1',
    'http://acme.freshdesk.com:443/',
  ]) {
    expect(parseSubdomain(input), input).toBe('acme');
  }
});

test('parseSubdomain rejects input that does not contain a Freshdesk subdomain, with an error that states the expected format', () => {
  for (const input of [
    '',
    'support.acme.com',
    'acme.freshservice.com',
    'a b',
    '-acme',
    'acme.freshdesk.com.evil.example',
    'user@acme',
    '127.0.0.1',
  ]) {
    expect(() => parseSubdomain(input), input).toThrow(/is not a Freshdesk account.*before \.freshdesk\.com/s);
  }
});

test('buildAccount inserts the subdomain into the origin template', () => {
  expect(buildAccount('acme', null).origin).toBe('https://acme.freshdesk.com');
  expect(buildAccount('acme', 'http://{subdomain}.proxy.example:8080').origin).toBe('http://acme.proxy.example:8080');
  expect(() => buildAccount('acme', 'https://proxy.example/path')).toThrow(/FRESHDESK_ORIGIN/);
});
