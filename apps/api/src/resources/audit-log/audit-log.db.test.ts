import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { App } from '../../context.ts';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;
const secretInput = (name: string) => ({ name, type: 'freshdesk_api_key', api_key: `secret of ${name}` });

describe('audit log', () => {
  const log = async (query = '') =>
    (await call('get', `/v1/audit-log${query}`).expect(200)).body.data as Record<string, unknown>[];

  test('entries contain the actor, the address, and the resource before and after the change, without secrets (I6)', async () => {
    const { body: created } = await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    const changed = await call('patch', `/v1/credentials/${created.id}`)
      .send({ name: 'b', api_key: 'another secret' })
      .expect(200);
    await call('delete', `/v1/credentials/${created.id}`).expect(204);
    await call('patch', `/v1/credentials/${randomUUID()}`).send({ name: 'c' }).expect(404);
    const entries = await log(`?resource=credentials/${created.id}`);
    expect(
      entries.map((e) => [
        e['action'],
        (e['before'] as { name?: string })?.name,
        (e['after'] as { name?: string })?.name,
      ]),
    ).toEqual([
      ['deleteCredential', 'b', undefined],
      ['updateCredential', 'a', 'b'],
      ['createCredential', undefined, 'a'],
    ]);
    expect(entries[1]).toMatchObject({
      actor: { name: 'bootstrap', role: 'team_admin' },
      address: expect.stringContaining('127.0.0.1'),
      request_id: changed.headers['x-request-id'],
    });
    expect(JSON.stringify(await log('?limit=200'))).not.toContain('secret');
    expect(await log(`?resource=credentials/${created.id}&action=updateCredential`)).toHaveLength(1);
    expect(await log(`?actor_id=${randomUUID()}`)).toEqual([]);
    expect(await log('?until=2020-01-01T00:00:00Z')).toEqual([]);
    const { text } = await call('get', `/v1/audit-log/export?resource=credentials/${created.id}`)
      .buffer(true)
      .parse((res, done) => {
        let body = '';
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => done(null, body));
      })
      .expect(200)
      .then(({ body }) => ({ text: body as string }));
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(entries);
  });

  test('the log contains neither entries for rejected requests nor values of tokens (I6)', async () => {
    const before = (await log()).length;
    await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    await call('post', '/v1/credentials').send(secretInput('a')).expect(409);
    const { body } = await call('post', '/v1/tokens').send({ name: 't', role: 'observer' }).expect(201);
    const entries = await log();
    expect(entries.length).toBe(before + 2);
    expect(entries[0]).toMatchObject({ action: 'createToken', resource: `tokens/${body.id}` });
    expect(JSON.stringify(entries)).not.toContain(body.token);
  });

  test('entries are pruned after the retention period, but entries of the last year cannot be pruned', async () => {
    const { sql } = api;
    const insert = (days: number) => sql`
      insert into freshet.audit_log (id, at, actor_id, actor_name, actor_role, address, request_id, action, resource)
      values (${`00000000-0000-7000-8000-000000000${days}`}, now() - make_interval(days => ${days}), gen_random_uuid(), 'n', 'team_admin', 'a', 'r', 'retention', 'x')`;
    for (const days of [500, 400, 300]) await insert(days);
    const left = async () =>
      (
        await sql`select (extract(epoch from now() - at) / 86400)::int as days from freshet.audit_log where action = 'retention' order by at`
      ).map(({ days }) => days);
    await expect(api.store.auditLog.prune(200)).rejects.toThrow('append-only');
    expect(await left()).toEqual([500, 400, 300]);
    expect(await api.store.auditLog.prune(450)).toBe(1);
    expect(await left()).toEqual([400, 300]);
    await expect(sql`delete from freshet.audit_log where at < now() - interval '390 days'`).rejects.toThrow(
      'append-only',
    );
  });

  test('the database rejects updates and deletions of entries', async () => {
    await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    for (const statement of [
      'delete from freshet.audit_log',
      "update freshet.audit_log set actor_name = 'nobody'",
      'truncate freshet.audit_log',
    ]) {
      await expect(api.sql.unsafe(statement), statement).rejects.toThrow('append-only');
    }
  });
});

test('an entry contains the address from `X-Forwarded-For` only if a trusted proxy sent the request', async () => {
  const proxied = await api.build({ trustedProxies: '127.0.0.1,::1' });
  const getLoggedAddress = async (app: App, name: string) => {
    await call('post', '/v1/credentials', api.token, app)
      .set('x-forwarded-for', '203.0.113.9')
      .send(secretInput(name))
      .expect(201);
    return (await call('get', '/v1/audit-log?limit=1').expect(200)).body.data[0].address as string;
  };
  try {
    expect(await getLoggedAddress(proxied, 'a')).toBe('203.0.113.9');
    expect(await getLoggedAddress(api.app, 'b')).toContain('127.0.0.1');
  } finally {
    await proxied.close();
  }
});
