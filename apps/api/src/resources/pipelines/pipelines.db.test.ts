import { catalogue } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { createPipelineInput, UNKNOWN_ID, useTestApi } from '../../test-support/api.ts';

const api = useTestApi({
  simulator: { counts: { tickets: 20 }, missingFeatures: ['Surveys'] },
  allowedAddresses: '127.0.0.0/8',
});
const { call } = api;

describe('the API for pipelines', () => {
  test('a created pipeline has the values of the request, including nulls, and defaults for missing fields (T22)', async () => {
    const { input } = await createPipelineInput(api);
    const sent = {
      ...input,
      source: { ...input.source, subdomain: 'acme', historical_sync_days: null, credit_share_percent: 50 },
      objects: { tickets: { included: false } },
      frequency_minutes: 30,
      table_prefix: 'fd_',
      destination_schema: 'support',
      schema_policy: 'freeze',
      analytics: true,
      analytics_time_zone: 'Eastern Time (US & Canada)',
    };
    const { body: made } = await call('post', '/v1/pipelines').send(sent).expect(201);
    expect(made).toMatchObject(sent);
    expect((await call('get', `/v1/pipelines/${made.id}`).expect(200)).body).toEqual(made);
    await call('delete', `/v1/pipelines/${made.id}`).expect(204);
    const { body: plain } = await call('post', '/v1/pipelines').send(input).expect(201);
    expect(plain).toMatchObject({
      source: { subdomain: 'acme', historical_sync_days: 30, credit_share_percent: 80 },
      destination_schema: 'freshdesk_acme',
      table_prefix: '',
      frequency_minutes: 360,
      objects: {},
      schema_policy: 'evolve',
      status: 'active',
      analytics: false,
      analytics_time_zone: null,
      analytics_refresh: null,
    });
  });

  test.each([
    ['a frequency of 90 minutes', { frequency_minutes: 90 }, '/frequency_minutes', 'whole number of hours'],
    ['an unknown object', { objects: { tikets: { included: true } } }, '/objects/tikets', 'Available objects: agents'],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, '/name', '255'],
    [
      'the setting `detail` for an object without details',
      { objects: { roles: { included: true, detail: true } } },
      '/objects/roles/detail',
      'agents, contacts, groups, tickets',
    ],
    [
      'a schema that PostgreSQL reserves',
      { destination_schema: 'pg_mine' },
      '/destination_schema',
      'PostgreSQL reserves',
    ],
    ['a schema with quotes', { destination_schema: 'a"b' }, '/destination_schema', 'pattern'],
    ['an unknown policy', { schema_policy: 'hope' }, '/schema_policy', 'evolve'],
    ['an unknown time zone', { analytics_time_zone: 'Mars' }, '/analytics_time_zone', 'Europe/Berlin'],
    ['an unknown destination', { destination_id: UNKNOWN_ID }, '/destination_id', 'does not exist'],
  ])('rejects %s, and returns a message and a pointer to the field', async (_name, wrong, pointer, words) => {
    const { input } = await createPipelineInput(api);
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, ...wrong })
      .expect(400);
    expect(body.errors[0].pointer).toBe(pointer);
    expect(body.detail).toContain(words);
    expect((await call('get', '/v1/pipelines')).body.data).toEqual([]);
  });

  test('rejects the subdomain of a different Freshworks product, and returns a pointer to the field', async () => {
    const { input } = await createPipelineInput(api);
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, source: { ...input.source, subdomain: 'acme.freshservice.com' } })
      .expect(400);
    expect(body.errors[0].pointer).toBe('/source/subdomain');
  });

  test('two pipelines cannot write to the same table', async () => {
    const { input } = await createPipelineInput(api);
    await call('post', '/v1/pipelines').send(input).expect(201);
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, name: 'other' })
      .expect(409);
    expect(body.errors[0].pointer).toBe('/destination_schema');
    await call('post', '/v1/pipelines')
      .send({ ...input, name: 'other', table_prefix: 'b_' })
      .expect(201);
  });

  test('rejects an update whose `If-Match` contains an older version', async () => {
    const { input } = await createPipelineInput(api);
    const made = await call('post', '/v1/pipelines').send(input).expect(201);
    const etag = made.headers['etag'] as string;
    const changed = await call('patch', `/v1/pipelines/${made.body.id}`)
      .set('if-match', etag)
      .send({ source: { credit_share_percent: 40 } })
      .expect(200);
    expect(changed.body.source.credit_share_percent).toBe(40);
    expect(changed.headers['etag']).not.toBe(etag);
    await call('patch', `/v1/pipelines/${made.body.id}`).set('if-match', etag).send({ name: 'x' }).expect(412);
    await call('patch', `/v1/pipelines/${made.body.id}`).set('if-match', '"what"').send({ name: 'x' }).expect(412);
  });

  test('pauses and resumes a pipeline', async () => {
    const { input } = await createPipelineInput(api);
    const { body: made } = await call('post', '/v1/pipelines').send(input).expect(201);
    expect((await call('post', `/v1/pipelines/${made.id}/pause`).expect(200)).body.status).toBe('paused');
    expect((await call('post', `/v1/pipelines/${made.id}/resume`).expect(200)).body.status).toBe('active');
  });

  test('updates, restarts and repositions objects, and returns 404 for an unknown object', async () => {
    const { input } = await createPipelineInput(api);
    const { body: made } = await call('post', '/v1/pipelines').send(input).expect(201);
    const { body: objects } = await call('get', `/v1/pipelines/${made.id}/objects`).expect(200);
    expect(objects.data).toHaveLength(catalogue.length);
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/roles`).send({ included: false }).expect(200)).body,
    ).toMatchObject({
      included: false,
      table: 'freshdesk_acme.roles',
    });
    await call('post', `/v1/pipelines/${made.id}/objects/roles/restart`).expect(200);
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/groups`).send({ detail: true }).expect(200)).body,
    ).toMatchObject({
      included: true,
      detail: true,
      history: false,
    });
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/roles`).send({ history: true }).expect(200)).body,
    ).toMatchObject({ history: true });
    expect((await call('get', `/v1/pipelines/${made.id}`)).body.objects).toEqual({
      roles: { included: false, history: true },
      groups: { included: true, detail: true },
    });
    expect(
      (
        await call('post', `/v1/pipelines/${made.id}/objects/groups/position`)
          .send({ changed_since: '2026-01-01T00:00:00Z' })
          .expect(409)
      ).body.detail,
    ).toContain('has not been extracted');
    await call('patch', `/v1/pipelines/${made.id}/objects/nothing`).send({ included: false }).expect(404);
  });
});

describe('POST /v1/pipelines/test', () => {
  test('reports for each object whether the API key can read it', async () => {
    const { key } = await createPipelineInput(api);
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    expect(body).toMatchObject({ ok: true, agent: { ticket_scope: 'global' }, sees_all_tickets: true, error: null });
    const verdicts = Object.fromEntries(
      body.objects.map((o: { object: string; verdict: string }) => [o.object, o.verdict]),
    );
    expect(verdicts).toMatchObject({ tickets: 'available', conversations: 'available', surveys: 'not_in_plan' });
    const filters = Object.fromEntries(
      body.objects.map((o: { object: string; changed_since_filter: string }) => [o.object, o.changed_since_filter]),
    );
    expect(filters).toMatchObject({
      tickets: 'updated_since',
      contacts: 'updated_since',
      satisfaction_ratings: null,
      groups: null,
    });
    // The simulated account has no limits, so its responses report no limits.
    expect(body.limits).toContainEqual({ bucket: 'account', credits_per_minute: null });
  });

  test('reports `forbidden` for objects that require an administrator', async () => {
    const { key } = await createPipelineInput(api);
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'demo-agent-key' }).expect(200);
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    const verdicts = Object.fromEntries(
      body.objects.map((o: { object: string; verdict: string }) => [o.object, o.verdict]),
    );
    expect(verdicts).toMatchObject({ tickets: 'available', agents: 'forbidden', groups: 'forbidden' });
  });

  test('returns 200 and the error for an invalid API key', async () => {
    const { key } = await createPipelineInput(api);
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'wrong' }).expect(200);
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    expect(body).toMatchObject({
      ok: false,
      error: { code: 'source_auth', message: expect.stringContaining('API key') },
    });
  });
});
