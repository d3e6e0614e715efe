import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openControlStore } from '../index.ts';
import {
  acquire,
  acquireBatch,
  buildBatch,
  buildCounts,
  buildOutcome,
  buildStep,
  startRun,
} from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('stored secrets', () => {
  test('neither a table nor the list of credentials contains a plaintext secret (I6)', async () => {
    const pipeline = await t.createPipeline();
    await startRun(t, pipeline.id);
    const { sql } = t.database;
    const tables = await sql<
      { schema: string; name: string }[]
    >`select schemaname as schema, tablename as name from pg_tables where schemaname in ('freshet', 'pgboss')`;
    for (const { schema, name } of tables) {
      const [row] = await sql.unsafe(
        `select count(*)::int as n from "${schema}"."${name}" x where x::text like '%the-api-key-of-acme%' or x::text like '%the-password-of-acme%'`,
      );
      expect(row?.['n'], `${schema}.${name}`).toBe(0);
    }
    expect(JSON.stringify(await t.store.credentials.list({ limit: 10, cursor: null }))).not.toMatch(
      /the-api-key|"secret"/,
    );
    expect(await t.store.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).toBe('the-api-key-of-acme');
  });

  test('a sealed secret that was copied to a different row cannot be decrypted (I6)', async () => {
    const a = await t.store.credentials.create({ name: 'a', type: 'freshdesk_api_key', secret: 'aaaa' });
    const b = await t.store.credentials.create({ name: 'b', type: 'freshdesk_api_key', secret: 'bbbb' });
    await t.database
      .sql`update freshet.credentials set secret = (select secret from freshet.credentials where id = ${a.id})
        where id = ${b.id}`;
    await expect(t.store.credentials.reveal(b.id, 'freshdesk_api_key')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });
});

describe('rotateKeys', () => {
  test('encrypts every secret with the newest key, so that the old key can be removed (I6)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ batch: buildBatch(1) }),
    );
    const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'lists');
    const counts = buildCounts({ records: 1, rejected: 1 });
    const batchId = batch.id;
    await t.store.loading.markLoaded(
      tableLease,
      buildOutcome({
        batches: [{ batchId, counts }],
        rejectedRecords: [{ batchId, line: 0, reason: 'key_missing: id', raw: '{"record":{}}' }],
      }),
    );
    const newKey = `new:${randomBytes(32).toString('base64')}`;
    const open = (secretKeys: string) =>
      openControlStore({ databaseUrl: t.database.url, secretKeys, onError: () => {} });
    const both = await open(`${newKey},${t.secretKeys}`);
    expect(await both.rotateKeys()).toBe(3);
    expect(await both.rotateKeys()).toBe(0);
    await both.close(1000);
    const rotated = await open(newKey);
    expect(await rotated.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).toBe('the-api-key-of-acme');
    await rotated.close(1000);
    await expect(t.store.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });
});

describe('Credentials.delete', () => {
  test('rejects a credential that is in use, with the name of the pipeline in the error', async () => {
    const pipeline = await t.createPipeline('busy');
    await expect(t.store.credentials.delete(pipeline.credential_id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('pipeline "busy"'),
    });
  });
});
