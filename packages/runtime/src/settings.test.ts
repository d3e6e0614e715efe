import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings, settings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'freshet-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const shape = { FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS, PORT: settings.PORT.default(1) };

describe('a setting', () => {
  test('may be what a file holds, or what a command prints', () => {
    const file = join(folder, 'keys');
    writeFileSync(file, 'k1:abc\n');
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_FILE: file })).toEqual({ FRESHET_SECRET_KEYS: 'k1:abc', PORT: 1 });
    expect(readSettings(shape, { FRESHET_SECRET_KEYS_COMMAND: "echo ' k2:def'", PORT: '5' })).toEqual({ FRESHET_SECRET_KEYS: 'k2:def', PORT: 5 });
  });

  test.each([
    ['given twice', { FRESHET_SECRET_KEYS: 'PLANTED', FRESHET_SECRET_KEYS_FILE: '/x' }, 'give one of them'],
    ['in a file that is not there', { FRESHET_SECRET_KEYS_FILE: '/nowhere' }, 'FRESHET_SECRET_KEYS_FILE could not be read (ENOENT)'],
    ['of a command that fails', { FRESHET_SECRET_KEYS_COMMAND: 'echo PLANTED; exit 3' }, 'FRESHET_SECRET_KEYS_COMMAND could not be run (status 3)'],
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
