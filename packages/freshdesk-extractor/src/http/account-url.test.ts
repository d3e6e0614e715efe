import { expect, test } from 'vitest';
import { accountAt, parseSubdomain } from './account-url.ts';

test('a subdomain is understood as people paste it', () => {
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

test('what is no Freshdesk account is refused with words that help', () => {
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

test('an origin replaces the account’s own host, with the subdomain filled in', () => {
  expect(accountAt('acme', null).origin).toBe('https://acme.freshdesk.com');
  expect(accountAt('acme', 'http://{subdomain}.proxy.example:8080').origin).toBe('http://acme.proxy.example:8080');
  expect(() => accountAt('acme', 'https://proxy.example/path')).toThrow(/FRESHDESK_ORIGIN/);
});
