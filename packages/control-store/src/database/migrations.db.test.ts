import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openControlStore } from '../index.ts';
import { openTestStore, type TestStore } from '../test-support/store.ts';
import { checkMigrations, migrateControlDatabase } from './migrations.ts';

const ADDITIONAL = '9999_additional';

interface Entry {
  readonly idx: number;
  readonly tag: string;
  readonly when: number;
}

/**
 * The migrations folder of a newer release. It contains the migrations of this release and one
 * more.
 */
let newerFolder: string;
/** The number of migrations in the folder. */
let newerCount: number;
let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
  newerFolder = mkdtempSync(join(tmpdir(), 'freshet-migrations-'));
  cpSync(fileURLToPath(new URL('../../migrations', import.meta.url)), newerFolder, { recursive: true });
  const journalPath = join(newerFolder, 'meta/_journal.json');
  const journal = JSON.parse(readFileSync(journalPath, 'utf8')) as { entries: Entry[] };
  const last = journal.entries.at(-1);
  if (!last) throw new Error('The journal has no migration.');
  journal.entries.push({ ...last, idx: journal.entries.length, tag: ADDITIONAL, when: last.when + 1 });
  newerCount = journal.entries.length;
  writeFileSync(journalPath, JSON.stringify(journal));
  writeFileSync(join(newerFolder, `${ADDITIONAL}.sql`), 'ALTER TABLE freshet.runs ADD COLUMN added integer DEFAULT 7;');
});
afterAll(async () => {
  rmSync(newerFolder, { recursive: true, force: true });
  await t[Symbol.asyncDispose]();
});

describe('migrateControlDatabase', () => {
  test('applies a new migration once even if several processes start at the same time, and keeps existing rows', async () => {
    await using database = await createDatabase();
    await migrateControlDatabase(database.url);
    const { sql } = database;
    await sql`
      insert into freshet.credentials (id, name, type, secret, hint)
      values (gen_random_uuid(), 'c', 'freshdesk_api_key', 's', 'h')`;
    await expect(checkMigrations(sql, newerFolder)).rejects.toMatchObject({ code: 'configuration' });
    await Promise.all(Array.from({ length: 4 }, () => migrateControlDatabase(database.url, newerFolder)));
    await checkMigrations(sql, newerFolder);
    expect(await sql`select added from freshet.runs`).toEqual([]);
    expect(await sql`select name from freshet.credentials`).toMatchObject([{ name: 'c' }]);
    const [applied] = await sql`select count(*)::int as n from freshet_migrations.__drizzle_migrations`;
    expect(applied?.['n']).toBe(newerCount);
  });

  test('does not change a database that a newer release has migrated, and this release works with the database', async () => {
    await using database = await createDatabase();
    await migrateControlDatabase(database.url, newerFolder);
    const store = await openControlStore({ databaseUrl: database.url, secretKeys: t.secretKeys, onError: () => {} });
    try {
      await store.ping();
      expect(
        (await store.runs.list({ limit: 1, cursor: null }, { pipelineId: null, status: null, kind: null })).data,
      ).toEqual([]);
      expect(await database.sql`select added from freshet.runs`).toEqual([]);
    } finally {
      await store.close(1000);
    }
  });
});

describe('openControlStore', () => {
  test('opens a migrated database from several processes at once', async () => {
    const stores = await Promise.all(
      Array.from({ length: 4 }, () =>
        openControlStore({ databaseUrl: t.database.url, secretKeys: t.secretKeys, onError: () => {} }),
      ),
    );
    await Promise.all(stores.map((store) => store.ping()));
    await Promise.all(stores.map((store) => store.close(1000)));
  });
});
