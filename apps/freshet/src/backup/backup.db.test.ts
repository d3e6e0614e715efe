import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBackup, describeBackup } from './backup.ts';

/** A program that behaves like pg_dump. The real program must not be older than the server. */
const PG_DUMP = (version: string, status: number) => `#!/bin/sh
[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) ${version}"; exit 0; }
for argument; do case $argument in --file=*) file=\${argument#--file=} ;; esac; done
echo "$* password=$PGPASSWORD" > "$file"
[ ${status} = 0 ] || echo "pg_dump: error: disk full" >&2
exit ${status}
`;

describe('createBackup', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createDatabase();
    folder = mkdtempSync(join(tmpdir(), 'freshet-backup-'));
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const install = (version: string, status = 0) => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, 'pg_dump'), PG_DUMP(version, status));
    chmodSync(join(bin, 'pg_dump'), 0o755);
    return `${bin}:/usr/bin:/bin`;
  };
  const run = (path: string, output: string) =>
    createBackup({ output, 'data-dir': undefined }, { DATABASE_URL: database.url, PATH: path });

  test('writes a file that only the user can read, and passes the password in the environment', async () => {
    const output = join(folder, 'a.dump');
    const backup = await run(install('99.1'), output);
    expect(backup).toEqual({ file: output, keys: 'FRESHET_SECRET_KEYS' });
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const password = decodeURIComponent(new URL(database.url).password);
    const [args, environment] = readFileSync(output, 'utf8').split(' password=');
    expect(args).toMatch(/--format=custom --file=\S+ --dbname=postgres:\/\//);
    expect(args).not.toContain(password);
    expect(environment?.trim()).toBe(password);
    expect(describeBackup(backup)).toContain('does not contain the encryption keys');
    await expect(run(install('99.1'), output)).rejects.toThrow('already exists');
  });

  test('rejects a password in a parameter of the URL, because it would be visible in the arguments of pg_dump', async () => {
    const url = new URL(database.url);
    url.password = '';
    url.searchParams.set('password', 'hunter22');
    const backup = createBackup(
      { output: join(folder, 'p.dump'), 'data-dir': undefined },
      { DATABASE_URL: url.href, PATH: install('99.1') },
    );
    await expect(backup).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/DATABASE_URL must contain the password before the host(?!.*hunter22)/s),
    });
  });

  test('leaves no file if pg_dump fails, and reports the error of pg_dump', async () => {
    await expect(run(install('99.1', 1), join(folder, 'b.dump'))).rejects.toThrow(
      'pg_dump failed: pg_dump: error: disk full',
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('b.dump'))).toEqual([]);
  });

  test('rejects a pg_dump that is older than the server, and states how to install a newer one', async () => {
    await expect(run(install('9.6'), join(folder, 'c.dump'))).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/requires pg_dump \d+ or newer.*pg_dump has version 9.*postgresql-client-\d+/s),
    });
  });

  test('rejects a data folder without a control database', async () => {
    await expect(createBackup({ output: join(folder, 'd.dump'), 'data-dir': folder }, {})).rejects.toThrow(
      `The data folder ${folder} contains no control database.`,
    );
  });
});
