import { describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;
const secretInput = (name: string) => ({ name, type: 'freshdesk_api_key', api_key: `secret of ${name}` });

describe('the API for tokens', () => {
  test('creates a token with scopes, rotates it with an overlap, and rejects it after expiry or deletion', async () => {
    const { body: created } = await call('post', '/v1/tokens')
      .send({ name: 't', role: 'team_collaborator', scopes: ['read', 'run'] })
      .expect(201);
    expect(created).toMatchObject({
      token: expect.stringMatching(/^frt_\w{36}$/),
      scopes: ['read', 'run'],
      last_used_at: null,
    });
    expect((await call('get', `/v1/tokens/${created.id}`).expect(200)).text).not.toContain(created.token);
    await call('get', '/v1/pipelines', created.token).expect(200);
    expect(
      (await call('post', '/v1/credentials', created.token).send(secretInput('a')).expect(403)).body.detail,
    ).toContain('manage_connections');
    expect((await call('get', `/v1/tokens/${created.id}`)).body.last_used_at).not.toBeNull();

    const { body: rotated } = await call('post', `/v1/tokens/${created.id}/rotate`).expect(200);
    for (const token of [created.token, rotated.token]) await call('get', '/v1/pipelines', token).expect(200);
    await api.sql`update freshet.api_tokens set previous_until = now() where id = ${created.id}`;
    await call('get', '/v1/pipelines', created.token).expect(401);
    await call('get', '/v1/pipelines', rotated.token).expect(200);

    await api.sql`update freshet.api_tokens set expires_at = now() where id = ${created.id}`;
    await call('get', '/v1/pipelines', rotated.token).expect(401);
    const { body: other } = await call('post', '/v1/tokens')
      .send({ name: 'u', role: 'observer', expires_at: '2100-01-01T00:00:00.000Z' })
      .expect(201);
    expect(other.expires_at).toBe('2100-01-01T00:00:00.000Z');
    await call('delete', `/v1/tokens/${other.id}`).expect(204);
    await call('get', '/v1/pipelines', other.token).expect(401);
  });

  test.each([
    ['a scope that the role does not include', { role: 'observer', scopes: ['run'] }, '/scopes'],
    ['an expiry time in the past', { role: 'observer', expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['an empty list of scopes', { role: 'observer', scopes: [] }, '/scopes'],
    ['an unknown role', { role: 'king' }, '/role'],
  ])('rejects %s', async (_name, wrong, pointer) => {
    const { body } = await call('post', '/v1/tokens')
      .send({ name: 't', ...wrong })
      .expect(400);
    expect(body.errors[0].pointer).toBe(pointer);
  });

  test('the last token that can manage tokens can be neither deleted nor restricted', async () => {
    const admin = (await api.store.tokens.list({ limit: 200, cursor: null })).data.find(
      (token) => token.name === 'bootstrap',
    );
    for (const attempt of [
      call('delete', `/v1/tokens/${admin?.id}`),
      call('patch', `/v1/tokens/${admin?.id}`).send({ role: 'observer' }),
      call('patch', `/v1/tokens/${admin?.id}`).send({ expires_at: '2100-01-01T00:00:00Z' }),
      call('patch', `/v1/tokens/${admin?.id}`).send({ scopes: ['read'] }),
    ]) {
      expect((await attempt).body).toMatchObject({ status: 409, code: 'conflict' });
    }
    await call('get', '/v1/tokens').expect(200);
  });
});
