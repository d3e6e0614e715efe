import { randomBytes } from 'node:crypto';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import postgres from 'postgres';
import { type ControlStore, openControlStore, type Pipeline } from '../index.ts';

/** A store on a dedicated database. */
export interface TestStore extends AsyncDisposable {
  readonly store: ControlStore;
  readonly database: TestDatabase;
  readonly secretKeys: string;
  /** Creates a pipeline, with its credentials and its destination. */
  createPipeline(name?: string): Promise<Pipeline>;
}

/** Creates a migrated control database, in which the queues exist. */
export function createControlDatabase(): Promise<TestDatabase> {
  return createDatabase({
    name: 'control',
    fill: async (url) => {
      const store = await openStore(url, createSecretKeys());
      await store.close(1000);
      // The copies must not list the process that filled the template.
      const sql = postgres(url, { max: 1 });
      await sql`delete from freshet.processes`;
      await sql.end();
    },
  });
}

/** Opens a store on a new database. Background errors fail the test. */
export async function openTestStore(): Promise<TestStore> {
  const database = await createControlDatabase();
  const secretKeys = createSecretKeys();
  const store = await openStore(database.url, secretKeys);
  return {
    store,
    database,
    secretKeys,
    createPipeline: async (name = 'acme') => {
      const key = await store.credentials.create({
        name: `${name} key`,
        type: 'freshdesk_api_key',
        secret: 'the-api-key-of-acme',
      });
      const password = await store.credentials.create({
        name: `${name} password`,
        type: 'postgres_password',
        secret: 'the-password-of-acme',
      });
      const destination = await store.destinations.create({
        name: `${name} warehouse`,
        type: 'postgres',
        host: '127.0.0.1',
        port: 5432,
        database: 'w',
        username: 'u',
        credential_id: password.id,
        ssl_mode: 'disable',
      });
      return store.pipelines.create({
        name,
        subdomain: name,
        credential_id: key.id,
        historical_sync_days: 30,
        credit_share_percent: 80,
        destination_id: destination.id,
        destination_schema: `freshdesk_${name}`,
        table_prefix: '',
        frequency_minutes: 360,
        audit_frequency_days: 7,
        objects: {},
        schema_policy: 'evolve',
      });
    },
    [Symbol.asyncDispose]: async () => {
      await store.close(1000);
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Deletes everything that tests create. */
export async function resetStore({ database: { sql } }: TestStore): Promise<void> {
  // Deleting a few rows is much faster than truncating tables, which creates new files.
  await sql.unsafe(`
    delete from freshet.pipelines;
    delete from freshet.destinations;
    delete from freshet.credentials;
    delete from freshet.child_work;
    delete from freshet.credit_buckets;
    delete from freshet.webhooks;
    delete from freshet.events;
    delete from pgboss.job`);
}

function createSecretKeys(): string {
  return `test:${randomBytes(32).toString('base64')}`;
}

function openStore(databaseUrl: string, secretKeys: string): Promise<ControlStore> {
  return openControlStore({
    databaseUrl,
    secretKeys,
    onError: (error) => {
      throw error;
    },
  });
}
