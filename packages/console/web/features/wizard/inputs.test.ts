import { expect, test } from 'vitest';
import { buildGrantSql, getDefaultSchema, parseConnectionUrl, parseSubdomain } from './inputs.ts';

test.each([
  ['acme', 'acme'],
  [' Acme.freshdesk.com ', 'acme'],
  ['https://acme-emea.freshdesk.com/a/tickets/1?x=2#y', 'acme-emea'],
  ['https://acme.freshdesk.com:443/', 'acme'],
])('the account in %j is %j', (text, subdomain) => {
  expect(parseSubdomain(text)).toBe(subdomain);
});

test.each(['', 'support.acme.com', 'acme.freshservice.com', '-acme', 'a b'])('%j is not an account', (text) => {
  expect(parseSubdomain(text)).toBe(null);
});

test('a connection URL fills all fields of a destination', () => {
  expect(parseConnectionUrl('postgres://fresh%20et:p%40ss@[::1]:6432/my%2Fdb?sslmode=require')).toEqual({
    host: '::1',
    port: 6432,
    database: 'my/db',
    username: 'fresh et',
    password: 'p@ss',
    ssl_mode: 'require',
  });
  expect(parseConnectionUrl('warehouse.example.com')).toBe(null);
  expect(parseConnectionUrl('postgres://%zz@host/db')).toBe(null);
});

test('identifiers in the SQL of a role are quoted', () => {
  const sql = buildGrantSql({ database: 'a"b', username: 'Freshet', schema: getDefaultSchema('acme-emea') });
  expect(sql).toContain('ON DATABASE "a""b" TO "Freshet"');
  expect(sql).toContain('CREATE SCHEMA IF NOT EXISTS "freshdesk_acme_emea"');
});
