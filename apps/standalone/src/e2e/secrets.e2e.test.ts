import { randomBytes } from 'node:crypto';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Uses a recognizable value for every secret that Freshet accepts, in requests that succeed and in
 * requests that fail. Then searches all output for these values: logs at the level `trace`, every
 * table of both databases, and every response.
 */

const plant = (name: string) => `PLANTED-${name}-${randomBytes(12).toString('hex')}`;
const SECRETS = {
  wrongKey: plant('key'),
  rotatedKey: plant('rotated'),
  password: plant('password'),
  wrongPassword: plant('wrong'),
  template: plant('template'),
  smtp: plant('smtp'),
};
const KEY = 'demo-admin-key';

let deployment: Deployment;
const responses: string[] = [];

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 5 } }, undefined, {
    LOG_LEVEL: 'trace',
    SMTP_URL: `smtp://freshet:${SECRETS.smtp}@127.0.0.1:1`,
    FRESHET_MAIL_FROM: 'freshet@example.com',
  });
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Sends a request to the API, and stores the response for the search. */
async function send(method: string, path: string, body?: object): Promise<Record<string, string>> {
  const response = await fetch(`${deployment.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${deployment.token}`,
      'idempotency-key': randomBytes(9).toString('hex'),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  responses.push(`${method} ${path}: ${text} ${JSON.stringify([...response.headers])}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
}

/** Yields every row of every table of a database, as text. */
async function* selectAllRows(sql: Deployment['control']['sql']): AsyncGenerator<string> {
  const tables = await sql<{ table: string }[]>`
    select format('%I.%I', schemaname, tablename) as table from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`;
  for (const { table } of tables)
    for (const { row } of await sql.unsafe<{ row: string }[]>(`select t::text as row from ${table} t`))
      yield `${table}: ${row}`;
}

test('no secret appears in a log, a table or a response (I6)', async () => {
  const { hostname, port, pathname } = new URL(deployment.warehouse.url);
  await deployment.warehouse.sql.unsafe(
    `create role planted login password '${SECRETS.password}'; grant create, temporary on database ${deployment.warehouse.name} to planted`,
  );
  const key = await send('POST', '/v1/credentials', {
    name: 'key',
    type: 'freshdesk_api_key',
    api_key: SECRETS.wrongKey,
  });
  const password = await send('POST', '/v1/credentials', {
    name: 'password',
    type: 'postgres_password',
    password: SECRETS.wrongPassword,
  });
  const address = {
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username: 'planted',
    ssl_mode: 'disable',
  };
  const destination = await send('POST', '/v1/destinations', {
    name: 'w',
    type: 'postgres',
    ...address,
    credential_id: password['id'],
  });
  await send('POST', `/v1/destinations/${destination['id']}/test`);
  await send('POST', '/v1/pipelines/test', { subdomain: 'acme', credential_id: key['id'] });
  // The API rejects these requests for various reasons. Their bodies contain the secret.
  await send('POST', '/v1/credentials', { name: 'key', type: 'freshdesk_api_key', api_key: SECRETS.wrongKey });
  await send('POST', '/v1/credentials', { name: 5, type: 'freshdesk_api_key', api_key: SECRETS.wrongKey });
  await send('POST', '/v1/credentials', { name: 'z', type: 'freshdesk_api_key', password: SECRETS.wrongKey });
  const { token } = await send('POST', '/v1/tokens', { name: 'planted', role: 'observer' });
  // A sign-in link, and the session for which the page of the link exchanges the code.
  const { code } = await send('POST', '/v1/sign-in-codes');
  for (const path of ['', 'console', 'console/', 'console/runs', 'no-such-page', 'v1/runs'])
    await fetch(`${deployment.url}/${path}?code=${code}`);
  const { token: session } = await send('POST', '/v1/sessions', { code: code as string });
  await send('POST', '/v1/sessions', { code: code as string });
  responses.splice(-4, 3);
  const { secret } = await send('POST', '/v1/webhooks', {
    name: 'w',
    url: 'http://127.0.0.1:1/{{secret}}',
    template: { key: '{{secret}}' },
    template_secret: SECRETS.template,
    events: ['run.failed', 'object.failed', 'credential.refused', 'run.partial'],
  });
  responses.pop();
  const mail = await send('POST', '/v1/webhooks', {
    name: 'mail',
    url: 'mailto:ops@example.com',
    events: ['run.failed'],
  });
  responses.pop();

  const pipeline = await send('POST', '/v1/pipelines', {
    name: 'acme',
    source: { type: 'freshdesk', subdomain: 'acme', credential_id: key['id'], historical_sync_days: null },
    destination_id: destination['id'],
  });
  const run = async () => {
    const { id } = await deployment.startRun(pipeline['id'] as string);
    return deployment.waitForRun(id);
  };
  expect((await run()).status).toBe('failed');
  // Use a valid key, and a warehouse that temporarily rejects its password.
  await send('PATCH', `/v1/credentials/${key['id']}`, { api_key: KEY });
  const { id } = await deployment.startRun(pipeline['id'] as string);
  await waitFor(
    async () => (await deployment.getRun(id)).objects.find((o) => o.error?.code === 'warehouse_auth') ?? null,
    'the warehouse rejects the password',
  );
  await send('PATCH', `/v1/credentials/${password['id']}`, { password: SECRETS.password });
  expect((await deployment.waitForRun(id)).status).toBe('succeeded');
  await send('PATCH', `/v1/credentials/${key['id']}`, { api_key: SECRETS.rotatedKey });
  await run();
  for (const path of [
    'credentials',
    'destinations',
    'pipelines',
    'runs',
    'tokens',
    'webhooks',
    'audit-log',
    'usage',
    'system',
    'dead-jobs',
    `webhooks/${mail['id']}/deliveries`,
    `pipelines/${pipeline['id']}/rejected-records`,
  ])
    await send('GET', `/v1/${path}`);
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    responses.push((await deployment.fetchFromMonitor(name, '/metrics')).text);

  const values = [token, code, session, secret] as string[];
  const secrets = [...Object.values(SECRETS), ...values, deployment.token];
  const encoded = secrets.flatMap((text) => [
    text,
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
    Buffer.from(`${text}:X`).toString('base64').replace(/=+$/, ''),
    encodeURIComponent(text),
  ]);
  const matches: string[] = [];
  const search = (source: string, text: string) => {
    for (const secret of encoded)
      if (text.includes(secret)) matches.push(`${secret} in ${source}: ${text.slice(0, 300)}`);
  };
  for (const text of responses) search('a response', text);
  for (const text of deployment.logs) search('a log', text);
  for await (const row of selectAllRows(deployment.control.sql)) search('the control database', row);
  for await (const row of selectAllRows(deployment.warehouse.sql)) search('the warehouse', row);
  expect(matches).toEqual([]);
  // Verify that the search finds a secret in a text that contains one.
  expect(deployment.logs.join('').length).toBeGreaterThan(1000);
  search('the test', `x ${SECRETS.password} y`);
  expect(matches).toHaveLength(2);
  await deployment.warehouse.sql.unsafe('drop owned by planted; drop role planted');
});
