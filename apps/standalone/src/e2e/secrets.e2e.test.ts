import { randomBytes } from 'node:crypto';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Recognisable secrets wherever one can enter, used in ways that work and ways that fail; then everything that is written
 * anywhere is searched for them: logs at their most talkative, every table of both databases, every answer.
 */

const planted = (what: string) => `PLANTED-${what}-${randomBytes(12).toString('hex')}`;
const SECRETS = {
  wrongKey: planted('key'),
  rotatedKey: planted('rotated'),
  password: planted('password'),
  wrongPassword: planted('wrong'),
  template: planted('template'),
  smtp: planted('smtp'),
};
const KEY = 'demo-admin-key';

let deployment: Deployment;
const answers: string[] = [];

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 5 } }, undefined, {
    LOG_LEVEL: 'trace',
    SMTP_URL: `smtp://freshet:${SECRETS.smtp}@127.0.0.1:1`,
    FRESHET_MAIL_FROM: 'freshet@example.com',
  });
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Calls the API, and keeps the answer for the search. */
async function call(method: string, path: string, body?: object): Promise<Record<string, string>> {
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
  answers.push(`${method} ${path}: ${text} ${JSON.stringify([...response.headers])}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
}

/** Every row of every table of a database, as text. */
async function* rowsOf(sql: Deployment['control']['sql']): AsyncGenerator<string> {
  const tables = await sql<{ table: string }[]>`
    select format('%I.%I', schemaname, tablename) as table from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`;
  for (const { table } of tables)
    for (const { row } of await sql.unsafe<{ row: string }[]>(`select t::text as row from ${table} t`))
      yield `${table}: ${row}`;
}

test('I6: secrets that were planted everywhere are found nowhere', async () => {
  const { hostname, port, pathname } = new URL(deployment.warehouse.url);
  await deployment.warehouse.sql.unsafe(
    `create role planted login password '${SECRETS.password}'; grant create, temporary on database ${deployment.warehouse.name} to planted`,
  );
  const key = await call('POST', '/v1/credentials', {
    name: 'key',
    type: 'freshdesk_api_key',
    api_key: SECRETS.wrongKey,
  });
  const password = await call('POST', '/v1/credentials', {
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
  const destination = await call('POST', '/v1/destinations', {
    name: 'w',
    type: 'postgres',
    ...address,
    credential_id: password['id'],
  });
  await call('POST', `/v1/destinations/${destination['id']}/test`);
  await call('POST', '/v1/pipelines/test', { subdomain: 'acme', credential_id: key['id'] });
  // Refused for other reasons, with the secret in the body.
  await call('POST', '/v1/credentials', { name: 'key', type: 'freshdesk_api_key', api_key: SECRETS.wrongKey });
  await call('POST', '/v1/credentials', { name: 5, type: 'freshdesk_api_key', api_key: SECRETS.wrongKey });
  await call('POST', '/v1/credentials', { name: 'z', type: 'freshdesk_api_key', password: SECRETS.wrongKey });
  const { token } = await call('POST', '/v1/tokens', { name: 'planted', role: 'observer' });
  const { secret } = await call('POST', '/v1/webhooks', {
    name: 'w',
    url: 'http://127.0.0.1:1/{{secret}}',
    template: { key: '{{secret}}' },
    template_secret: SECRETS.template,
    events: ['run.failed', 'object.failed', 'credential.refused', 'run.partial'],
  });
  answers.splice(-2);
  const mail = await call('POST', '/v1/webhooks', {
    name: 'mail',
    url: 'mailto:ops@example.com',
    events: ['run.failed'],
  });
  answers.pop();

  const pipeline = await call('POST', '/v1/pipelines', {
    name: 'acme',
    source: { type: 'freshdesk', subdomain: 'acme', credential_id: key['id'], historical_sync_days: null },
    destination_id: destination['id'],
  });
  const run = async () => {
    const { id } = (await deployment.startRun(pipeline['id'] as string)) as RunAnswer;
    return deployment.finished(id);
  };
  expect((await run()).status).toBe('failed');
  // A key that works, and a warehouse that refuses for a while.
  await call('PATCH', `/v1/credentials/${key['id']}`, { api_key: KEY });
  const { id } = await deployment.startRun(pipeline['id'] as string);
  await eventually(
    async () => (await deployment.run(id)).objects.find((o) => o.error?.code === 'warehouse_auth') ?? null,
    'the warehouse refuses the password',
  );
  await call('PATCH', `/v1/credentials/${password['id']}`, { password: SECRETS.password });
  expect((await deployment.finished(id)).status).toBe('succeeded');
  await call('PATCH', `/v1/credentials/${key['id']}`, { api_key: SECRETS.rotatedKey });
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
    await call('GET', `/v1/${path}`);
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    answers.push((await deployment.monitor(name, '/metrics')).text);

  const secrets = [...Object.values(SECRETS), token as string, secret as string, deployment.token];
  const encoded = secrets.flatMap((text) => [
    text,
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
    Buffer.from(`${text}:X`).toString('base64').replace(/=+$/, ''),
    encodeURIComponent(text),
  ]);
  const found: string[] = [];
  const search = (where: string, text: string) => {
    for (const needle of encoded) if (text.includes(needle)) found.push(`${needle} in ${where}: ${text.slice(0, 300)}`);
  };
  for (const text of answers) search('an answer', text);
  for (const text of deployment.errors) search('a log', text);
  for await (const row of rowsOf(deployment.control.sql)) search('the control database', row);
  for await (const row of rowsOf(deployment.warehouse.sql)) search('the warehouse', row);
  expect(found).toEqual([]);
  // The search itself finds what is there.
  expect(deployment.errors.join('').length).toBeGreaterThan(1000);
  search('itself', `x ${SECRETS.password} y`);
  expect(found).toHaveLength(2);
  await deployment.warehouse.sql.unsafe('drop owned by planted; drop role planted');
});
