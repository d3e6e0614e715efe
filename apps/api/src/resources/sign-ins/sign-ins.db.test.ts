import supertest from 'supertest';
import { beforeEach, describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

/** Exchanges a code, without a token. */
const exchange = (code: string) => supertest(api.app.server).post('/v1/sessions').send({ code });

async function createCode(token?: string): Promise<string> {
  return (await call('post', '/v1/sign-in-codes', token).expect(201)).body.code;
}

async function signIn(token?: string): Promise<string> {
  return (await exchange(await createCode(token)).expect(201)).body.token;
}

beforeEach(() => api.sql`delete from freshet.sign_ins`);

describe('the API for sign-in links', () => {
  test('exchanges a code once for a session with the permissions of the token, and stores only digests (I6)', async () => {
    const { body: observer } = await call('post', '/v1/tokens').send({ name: 'o', role: 'observer' }).expect(201);
    const { body: created } = await call('post', '/v1/sign-in-codes', observer.token).expect(201);
    expect(created.code).toMatch(/^frc_\w{36}$/);
    const minutes = (Date.parse(created.expires_at) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(9);
    expect(minutes).toBeLessThanOrEqual(10);
    const { body: session, headers } = await exchange(created.code).expect(201);
    expect(session.token).toMatch(/^frs_\w{36}$/);
    expect(headers['cache-control']).toBe('no-store');
    const { body: current } = await call('get', '/v1/tokens/current', session.token).expect(200);
    expect(current).toMatchObject({ id: observer.id, role: 'observer', permissions: ['read'] });
    await call('post', '/v1/credentials', session.token).send({}).expect(403);

    const again = await exchange(created.code).expect(401);
    expect(again.body).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('was already used') });
    const tables = await api.sql`select s::text as row from freshet.sign_ins s
      union all select a::text from freshet.audit_log a`;
    const stored = JSON.stringify(tables);
    expect(stored).toContain('createSession');
    for (const secret of [created.code, session.token]) expect(stored).not.toContain(secret);
  });

  test('accepts a code from only one of many concurrent requests', async () => {
    const code = await createCode();
    const responses = await Promise.all(Array.from({ length: 20 }, () => exchange(code)));
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  test.each([
    ['an expired code', 'has expired', `code_expires_at = now()`],
    ['a code whose token is unknown', 'is unknown', `code_digest = 'x'`],
  ])('rejects %s', async (_title, reason, change) => {
    const code = await createCode();
    await api.sql.unsafe(`update freshet.sign_ins set ${change}`);
    const { body } = await exchange(code).expect(401);
    expect(body.detail).toContain(reason);
  });

  test('rejects an incomplete code', async () => {
    const { body } = await exchange('frc_123').expect(400);
    expect(body.errors[0].pointer).toBe('/code');
  });

  test('ends a session when it expires, and on request', async () => {
    const [first, second] = [await signIn(), await signIn()];
    await call('delete', '/v1/sessions/current', first).expect(204);
    const { body } = await call('get', '/v1/runs', first).expect(401);
    expect(body.detail).toContain('session');
    await call('get', '/v1/runs', second).expect(200);
    await api.sql`update freshet.sign_ins set session_expires_at = now()`;
    await call('get', '/v1/runs', second).expect(401);
  });

  test.each([
    ['is deleted', (id: string) => call('delete', `/v1/tokens/${id}`).expect(204)],
    ['is rotated', (id: string) => call('post', `/v1/tokens/${id}/rotate`).expect(200)],
    ['expires', (id: string) => api.sql`update freshet.api_tokens set expires_at = now() where id = ${id}`],
  ])('ends the sessions and the codes of a token that %s', async (_title, end) => {
    const { body: token } = await call('post', '/v1/tokens').send({ name: 't', role: 'observer' }).expect(201);
    const code = await createCode(token.token);
    const session = await signIn(token.token);
    await end(token.id);
    await call('get', '/v1/runs', session).expect(401);
    await exchange(code).expect(401);
  });

  test('rejects a code that the previous value of a rotated token requests, because a session would outlast this value', async () => {
    const { body: token } = await call('post', '/v1/tokens').send({ name: 't', role: 'observer' }).expect(201);
    const { body: rotated } = await call('post', `/v1/tokens/${token.id}/rotate`)
      .send({ overlap_minutes: 60 })
      .expect(200);
    await call('get', '/v1/runs', token.token).expect(200);
    const { body } = await call('post', '/v1/sign-in-codes', token.token).expect(403);
    expect(body.detail).toContain('was rotated');
    await createCode(rotated.token);
  });

  test('limits a session to the expiry of its token', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { body: token } = await call('post', '/v1/tokens').send({
      name: 't',
      role: 'observer',
      expires_at: expiresAt,
    });
    const { body: session } = await exchange(await createCode(token.token)).expect(201);
    expect(session.expires_at).toBe(expiresAt);
  });

  test('rejects the request of a session for a code, because the session could be extended without limit', async () => {
    const { body } = await call('post', '/v1/sign-in-codes', await signIn()).expect(403);
    expect(body.detail).toContain('API token');
  });

  test('does not return the stored response of its token to a session', async () => {
    const session = await signIn();
    const send = (token?: string) => call('post', '/v1/sign-in-codes', token).set('idempotency-key', 'same');
    await send().expect(201);
    const { body } = await send(session);
    expect(body).toMatchObject({ code: 'idempotency_key_reused' });
  });

  test('deletes codes and sessions a day after their expiry', async () => {
    await createCode();
    await signIn();
    await api.sql`update freshet.sign_ins set code_expires_at = now() - interval '25 hours'`;
    // The session of the second code is still valid.
    expect(await api.store.signIns.prune(24)).toBe(1);
    await api.sql`update freshet.sign_ins set session_expires_at = now() - interval '25 hours'`;
    expect(await api.store.signIns.prune(24)).toBe(1);
  });

  test('redirects a link to the console with its code, and sends no referrer', async () => {
    for (const path of ['/', '/console']) {
      const { headers } = await supertest(api.app.server).get(`${path}?code=frc_x`).expect(302);
      expect(headers).toMatchObject({ location: '/console/?code=frc_x', 'referrer-policy': 'no-referrer' });
    }
    expect((await supertest(api.app.server).get('/')).headers['location']).toBe('/console/');
  });
});
