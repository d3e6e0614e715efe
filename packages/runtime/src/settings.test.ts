import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings, settings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'freshet-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const shape = { FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS, PORT: settings.PORT.default(1) };

describe('the address of a server', () => {
  const shapes = {
    DATABASE_URL: settings.DATABASE_URL.optional(),
    WAREHOUSE_URL: settings.WAREHOUSE_URL.optional(),
    FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
    SMTP_URL: settings.serverUrl(['smtp:', 'smtps:']).optional(),
  };

  test.each([
    ['WAREHOUSE_URL', 'postgres://u:p@warehouse.example.com:6432/w?sslmode=require'],
    ['WAREHOUSE_URL', 'postgresql://u:p@[2001:db8::1]/w'],
    // The operator's own database, of which nobody else can choose the address.
    ['DATABASE_URL', 'postgres:///freshet?host=/var/run/postgresql'],
    ['FRESHDESK_ORIGIN', 'http://127.0.0.1:9000'],
    ['FRESHDESK_ORIGIN', 'https://{subdomain}.proxy.example/'],
    ['SMTP_URL', 'smtps://user:password@mail.example.com:465'],
  ])('%s accepts %s', (name, value) => {
    expect(readSettings(shapes, { [name]: value })).toEqual({ [name]: value });
  });

  test.each([
    ['WAREHOUSE_URL', 'postgres://u:p@/w'],
    ['WAREHOUSE_URL', 'postgres:///w?host=/var/run/postgresql'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?host=/var/run/postgresql'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?hostaddr=127.0.0.1'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?port=1'],
    ['WAREHOUSE_URL', 'postgres://u:p@%2Fvar%2Frun/w'],
    ['WAREHOUSE_URL', 'postgres://u:p@a,b/w'],
    ['WAREHOUSE_URL', 'socket:/var/run/postgresql'],
    ['FRESHDESK_ORIGIN', 'https://proxy.example/path'],
    ['FRESHDESK_ORIGIN', 'https://user@proxy.example'],
    ['FRESHDESK_ORIGIN', 'https://:password@proxy.example'],
    ['FRESHDESK_ORIGIN', 'https://proxy.example?x=1'],
    ['FRESHDESK_ORIGIN', 'unix:/run/proxy'],
    ['SMTP_URL', 'smtp:///run/mail'],
    ['SMTP_URL', 'smtp://@/'],
  ])('%s refuses %s by its name', (name, value) => {
    expect(() => readSettings(shapes, { [name]: value })).toThrow(new RegExp(`${name} must`));
  });
});

describe('a setting', () => {
  test('may be what a file holds, or what a command prints', () => {
    const file = join(folder, 'keys');
    writeFileSync(file, 'k1:abc\n');
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_FILE: file })).toEqual({ FRESHET_SECRET_KEYS: 'k1:abc', PORT: 1 });
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_COMMAND: "echo ' k2:def'", PORT: '5' })).toEqual({
      FRESHET_SECRET_KEYS: 'k2:def',
      PORT: 5,
    });
  });

  test.each([
    ['given twice', { FRESHET_SECRET_KEYS: 'PLANTED', FRESHET_SECRET_KEYS_FILE: '/x' }, 'give one of them'],
    [
      'in a file that is not there',
      { FRESHET_SECRET_KEYS_FILE: '/nowhere' },
      'FRESHET_SECRET_KEYS_FILE could not be read (ENOENT)',
    ],
    [
      'of a command that fails',
      { FRESHET_SECRET_KEYS_COMMAND: 'echo PLANTED; exit 3' },
      'FRESHET_SECRET_KEYS_COMMAND could not be run (status 3)',
    ],
    ['missing', { FRESHET_SECRET_KEYS: '' }, 'FRESHET_SECRET_KEYS is missing'],
    ['malformed', { FRESHET_SECRET_KEYS: 'PLANTED', PORT: 'x' }, 'PORT must be a whole number'],
  ])('%s is told by its name, and never by its value', (_name, environment, words) => {
    const error = (() => {
      try {
        readSettings(shape, environment);
      } catch (thrown) {
        return thrown as Error;
      }
      return new Error('nothing was thrown');
    })();
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('PLANTED');
  });
});
