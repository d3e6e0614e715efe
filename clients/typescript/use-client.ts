/**
 * Uses the API through the client that @hey-api/openapi-ts generated. Exits with status 0 only if
 * every check passes.
 */
import assert from 'node:assert/strict';
import { client } from './generated/client.gen';
import {
  createCredential,
  createDestination,
  createPipeline,
  getPipeline,
  getRun,
  listCredentials,
  startRun,
  updatePipeline,
} from './generated/sdk.gen';

const { FRESHET_URL, FRESHET_TOKEN, WAREHOUSE_URL } = process.env as Record<string, string>;
const warehouse = new URL(WAREHOUSE_URL as string);
client.setConfig({ baseUrl: FRESHET_URL as string, auth: () => FRESHET_TOKEN as string });
const name = 'typescript';

function unwrap<T>({ data, error }: { data?: T; error?: unknown }): T {
  assert.equal(error, undefined);
  return data as T;
}

const headers = { 'idempotency-key': crypto.randomUUID() };
const body = { name, type: 'freshdesk_api_key', api_key: 'demo-admin-key' } as const;
const key = unwrap(await createCredential({ body, headers }));
assert.deepEqual(unwrap(await createCredential({ body, headers })), key);
const password = unwrap(
  await createCredential({
    body: { name: `${name} password`, type: 'postgres_password', password: warehouse.password },
  }),
);
const destination = unwrap(
  await createDestination({
    body: {
      name,
      type: 'postgres',
      host: warehouse.hostname,
      port: Number(warehouse.port),
      database: warehouse.pathname.slice(1),
      username: warehouse.username,
      credential_id: password.id,
      ssl_mode: 'disable',
    },
  }),
);
const pipeline = unwrap(
  await createPipeline({
    body: {
      name,
      source: { type: 'freshdesk', subdomain: 'demo', credential_id: key.id, historical_sync_days: null },
      destination_id: destination.id,
      destination_schema: 'typescript',
      objects: { conversations: { included: false } },
    },
  }),
);
const path = { id: pipeline.id };
assert.deepEqual(unwrap(await getPipeline({ path })), pipeline);
assert.equal(pipeline.source.historical_sync_days, null);

let run = unwrap(await startRun({ path, body: {} }));
while (run.finished_at === null) run = unwrap(await getRun({ path: { id: run.id }, query: { wait: 30 } }));
assert.equal(run.status, 'succeeded');

const seenIds: string[] = [];
for (let cursor: string | null | undefined; cursor !== null; ) {
  const page = unwrap(await listCredentials({ query: { limit: 1, ...(cursor ? { cursor } : {}) } }));
  seenIds.push(...page.data.map(({ id }) => id));
  cursor = page.next_cursor;
}
assert.equal(new Set(seenIds).size, seenIds.length);
assert.ok(seenIds.includes(key.id) && seenIds.includes(password.id));

assert.equal((await createCredential({ body })).error?.code, 'conflict');
assert.equal((await getRun({ path: { id: crypto.randomUUID() } })).error?.code, 'not_found');
assert.equal((await createCredential({ body: { ...body, name: '' } })).error?.errors?.[0]?.pointer, '/name');
assert.equal(
  (await updatePipeline({ path, body: { frequency_minutes: 60 }, headers: { 'if-match': '"999"' } })).error?.status,
  412,
);
assert.equal((await getRun({ path: { id: run.id }, auth: () => 'frt_unknown' })).error?.status, 401);
console.log('The TypeScript client passed all checks.');
