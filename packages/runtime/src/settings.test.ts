import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings, settings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'freshet-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the schemas of server addresses', () => {
  const shape = {
    DATABASE_URL: settings.DATABASE_URL.optional(),
    WAREHOUSE_URL: settings.WAREHOUSE_URL.optional(),
    FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
    SMTP_URL: settings.serverUrl(['smtp:', 'smtps:']).optional(),
  };

  test.each([
    ['WAREHOUSE_URL', 'postgres://u:p@warehouse.example.com:6432/w?sslmode=require'],
    ['WAREHOUSE_URL', 'postgresql://u:p@[2001:db8::1]/w'],
    // Only the operator chooses the address of the control database, so a socket is allowed.
    ['DATABASE_URL', 'postgres:///freshet?host=/var/run/postgresql'],
    ['FRESHDESK_ORIGIN', 'http://127.0.0.1:9000'],
    ['FRESHDESK_ORIGIN', 'https://{subdomain}.proxy.example/'],
    ['SMTP_URL', 'smtps://user:password@mail.example.com:465'],
  ])('%s accepts %s', (name, value) => {
    expect(readSettings(shape, { [name]: value })).toEqual({ [name]: value });
  });

  test.each([
    ['WAREHOUSE_URL', 'postgres://u:p@/w'],
    ['WAREHOUSE_URL', 'postgres:///w?host=/var/run/postgresql'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?host=/var/run/postgresql'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?hostaddr=127.0.0.1'],
    ['WAREHOUSE_URL', 'postgres://u:p@host/w?port=1'],
    ['WAREHOUSE_URL', 'postgres://u@host/w?password=p'],
    ['DATABASE_URL', 'postgres://u@host/freshet?sslmode=require&password=p'],
    ['DATABASE_URL', 'postgres://u@host/freshet?sslpassword=p'],
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
  ])('%s rejects %s with an error that contains the name of the variable', (name, value) => {
    expect(() => readSettings(shape, { [name]: value })).toThrow(new RegExp(`${name} must`));
  });
});

describe('readSettings', () => {
  const shape = { FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS, PORT: settings.PORT.default(1) };

  test('reads a value from the file in <NAME>_FILE or from the output of the command in <NAME>_COMMAND', () => {
    const file = join(folder, 'keys');
    writeFileSync(file, 'k1:abc\n');
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_FILE: file })).toEqual({ FRESHET_SECRET_KEYS: 'k1:abc', PORT: 1 });
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_COMMAND: "echo ' k2:def'", PORT: '5' })).toEqual({
      FRESHET_SECRET_KEYS: 'k2:def',
      PORT: 5,
    });
  });

  test.each([
    [
      'that is set twice',
      { FRESHET_SECRET_KEYS: 'PLANTED', FRESHET_SECRET_KEYS_FILE: '/x' },
      'FRESHET_SECRET_KEYS and FRESHET_SECRET_KEYS_FILE are mutually exclusive',
    ],
    [
      'whose file does not exist',
      { FRESHET_SECRET_KEYS_FILE: '/nowhere' },
      'FRESHET_SECRET_KEYS_FILE: the file could not be read (ENOENT)',
    ],
    [
      'whose command fails',
      { FRESHET_SECRET_KEYS_COMMAND: 'echo PLANTED; exit 3' },
      'FRESHET_SECRET_KEYS_COMMAND: the command failed (status 3)',
    ],
    ['that is missing', { FRESHET_SECRET_KEYS: '' }, 'FRESHET_SECRET_KEYS is missing'],
    ['that is malformed', { FRESHET_SECRET_KEYS: 'PLANTED', PORT: 'x' }, 'PORT must be an integer'],
  ])(
    'rejects a variable %s, and reports the name but not the value of the variable (I6)',
    (_title, environment, message) => {
      const error = (() => {
        try {
          readSettings(shape, environment);
        } catch (thrown) {
          return thrown as Error;
        }
        return new Error('nothing was thrown');
      })();
      expect(error.message).toContain(message);
      expect(error.message).not.toContain('PLANTED');
    },
  );
});
