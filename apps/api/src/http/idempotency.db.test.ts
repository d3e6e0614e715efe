import { describe, expect, test } from 'vitest';
import { useTestApi } from '../test-support/api.ts';

const api = useTestApi();
const { call } = api;
const listCredentials = async () => (await api.store.credentials.list({ limit: 50, cursor: null })).data;
const secretInput = (name: string) => ({ name, type: 'freshdesk_api_key', api_key: `secret of ${name}` });

describe('Idempotency-Key', () => {
  test('only one of several concurrent requests with the same key is executed, and its response is returned to all', async () => {
    const responses = await Promise.all(
      Array.from({ length: 8 }, () =>
        call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')),
      ),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(responses.map(({ body }) => body.id)).size).toBe(1);
    expect(responses.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await listCredentials()).toHaveLength(1);
  });

  test('the effects of a request are rolled back if the process crashes before the response is stored', async () => {
    // Simulate the crash: the connection is closed before the transaction commits.
    await api.sql.unsafe(`
      create function freshet.crash() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
      create trigger crash before update on freshet.idempotency_keys for each row execute function freshet.crash()`);
    try {
      const failed = await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a'));
      expect(failed.status).toBe(500);
      expect(await listCredentials()).toEqual([]);
    } finally {
      await api.sql.unsafe('drop function freshet.crash() cascade');
    }
    const again = await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    expect(again.headers['idempotent-replayed']).toBeUndefined();
    expect(await listCredentials()).toHaveLength(1);
  });

  test('different tokens can use the same key', async () => {
    const { value: otherToken } = await api.store.tokens.create({
      name: 'other',
      role: 'team_admin',
      scopes: null,
      expires_at: null,
    });
    await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    await call('post', '/v1/credentials', otherToken).set('idempotency-key', 'k').send(secretInput('b')).expect(201);
    expect(await listCredentials()).toHaveLength(2);
  });

  test('a stored response that contains a secret is encrypted, and is replayed unchanged (I6)', async () => {
    const first = await call('post', '/v1/tokens')
      .set('idempotency-key', 'k')
      .send({ name: 'a', role: 'observer' })
      .expect(201);
    const again = await call('post', '/v1/tokens')
      .set('idempotency-key', 'k')
      .send({ name: 'a', role: 'observer' })
      .expect(201);
    expect(again.body.token).toBe(first.body.token);
    const rows = await api.sql`select * from freshet.idempotency_keys`;
    expect(JSON.stringify(rows)).not.toContain(first.body.token);
    expect(await api.store.rotateKeys()).toBe(0);
  });

  test('keys are deleted after 24 hours', async () => {
    await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    await api.sql`update freshet.idempotency_keys set created_at = now() - interval '25 hours'`;
    expect(await api.store.idempotency.prune(24)).toBe(1);
  });
});
