import { hostname } from 'node:os';
import { isTokenFormat, migrateControlDatabase } from '@freshet/control-store';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken, describeToken, parseExpiry } from './create-token.ts';

const NOW = new Date('2027-01-01T12:00:00Z');
const OPTIONS = { name: 'admin', role: 'team_admin', expires: undefined, 'data-dir': undefined } as const;

describe('createToken', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('rejects a database without the schema of this release, and states how to migrate it', async () => {
    await expect(createToken(OPTIONS, { DATABASE_URL: database.url })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('does not contain the schema of Freshet'),
    });
    await migrateControlDatabase(database.url);
    const { sql } = database;
    const [newest] = await sql`
      delete from freshet_migrations.__drizzle_migrations
      where created_at = (select max(created_at) from freshet_migrations.__drizzle_migrations) returning *`;
    await expect(createToken(OPTIONS, { DATABASE_URL: database.url })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('is older than this release'),
    });
    await sql`insert into freshet_migrations.__drizzle_migrations ${sql(newest as object)}`;
    expect(await sql`select from freshet.api_tokens`).toHaveLength(0);
  });

  test('stores the digest of the token, and an audit log entry with the author and without the token (I6)', async () => {
    await migrateControlDatabase(database.url);
    const created = await createToken({ ...OPTIONS, expires: '90d' }, { DATABASE_URL: database.url });
    expect(isTokenFormat(created.value)).toBe(true);
    expect(describeToken(created)).not.toContain(created.value);
    const [token] = await database.sql`select row_to_json(t)::text as text, * from freshet.api_tokens t`;
    expect(token).toMatchObject({ id: created.token.id, name: 'admin', role: 'team_admin', scopes: null });
    expect(token?.['text']).not.toContain(created.value);
    const [entry] = await database.sql`select row_to_json(a)::text as text, * from freshet.audit_log a`;
    expect(entry).toMatchObject({
      actor_id: '00000000-0000-0000-0000-000000000000',
      actor_name: expect.stringMatching(new RegExp(`^.+@${hostname()}$`)),
      actor_role: 'team_admin',
      address: expect.stringMatching(/^[\d.:a-f]+$/),
      action: 'createToken',
      resource: `tokens/${created.token.id}`,
      before: null,
      after: { id: created.token.id, expires_at: created.token.expires_at?.toJSON() },
    });
    for (const secret of [created.value, token?.['digest'] as string]) expect(entry?.['text']).not.toContain(secret);
  });

  test('creates no token if the audit log entry cannot be written', async () => {
    const { sql } = database;
    const countTokens = async () => (await sql`select from freshet.api_tokens`).length;
    const before = await countTokens();
    await sql`alter table freshet.audit_log add constraint reject_entries check (false) not valid`;
    await expect(createToken(OPTIONS, { DATABASE_URL: database.url })).rejects.toThrow('reject_entries');
    await sql`alter table freshet.audit_log drop constraint reject_entries`;
    expect(await countTokens()).toBe(before);
  });

  test.each([
    [{ name: '' }, '--name must have 1 to 255 characters.'],
    [{ name: 'x'.repeat(256) }, '--name must have 1 to 255 characters.'],
    [{ expires: '2020-01-01' }, '--expires must be in the future.'],
    [{ expires: 'tomorrow' }, '--expires must be a duration'],
  ])('rejects %j before it connects to the database', async (options, message) => {
    await expect(
      createToken({ ...OPTIONS, ...options }, { DATABASE_URL: 'postgres://127.0.0.1:1/x' }),
    ).rejects.toMatchObject({ code: 'invalid_input', message: expect.stringContaining(message) });
  });

  test.each([
    ['postgres://127.0.0.1:1/x', 'no server is listening'],
    ['mysql://127.0.0.1/x', 'DATABASE_URL must be a URL that starts with postgres://'],
  ])('reports the cause of a failed connection to %s', async (url, message) => {
    await expect(createToken(OPTIONS, { DATABASE_URL: url })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(message),
    });
  });
});

describe('parseExpiry', () => {
  test.each([
    ['12h', '2027-01-02T00:00:00.000Z'],
    ['90d', '2027-04-01T12:00:00.000Z'],
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2027-01-31T08:00:00Z', '2027-01-31T08:00:00.000Z'],
    ['2027-01-31T08:00+02:00', '2027-01-31T06:00:00.000Z'],
  ])('accepts %s', (value, time) => {
    expect(parseExpiry(value, NOW).toISOString()).toBe(time);
  });

  test.each(['', '0d', '-1d', '1.5d', '90', '3w', '2027-02-31', '2027-01-31T08:00:00', '2027-01-31T25:00:00Z', '1 d'])(
    'rejects "%s"',
    (value) => {
      expect(() => parseExpiry(value, NOW)).toThrow('--expires must be a duration');
    },
  );
});
