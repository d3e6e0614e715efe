import { catalogue } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { createPipelineInput, useTestApi } from '../../test-support/api.ts';

const api = useTestApi({
  simulator: { counts: { tickets: 20 }, missingFeatures: ['Surveys'] },
  allowedAddresses: '127.0.0.0/8',
});
const { call } = api;

describe('previews of a pipeline', () => {
  test('POST /v1/pipelines/plan returns tables, statements and an estimate, and changes nothing', async () => {
    const { input } = await createPipelineInput(api);
    const sent = {
      ...input,
      objects: Object.fromEntries(
        catalogue.map((o) => [o.name, { included: o.name === 'tickets' || o.name === 'roles' }]),
      ),
    };
    const { body } = await call('post', '/v1/pipelines/plan').send(sent).expect(200);
    expect(body).toMatchObject({
      account: { ok: true, sees_all_tickets: true },
      destination: { usable: true },
      estimate: { records: expect.any(Number) },
    });
    expect(body.tables.map((t: { object: string; exists: boolean }) => [t.object, t.exists])).toEqual([
      ['roles', false],
      ['tickets', false],
    ]);
    // The columns include custom fields of the account.
    expect(body.tables[1].statements[0]).toMatch(/create table "freshdesk_acme"\."tickets" .*"cf_/);
    expect(body.statements[0]).toContain('create schema if not exists "freshdesk_acme"');
    expect((await call('get', '/v1/pipelines').expect(200)).body.data).toEqual([]);
    expect(await api.sql`select from pg_namespace where nspname = 'freshdesk_acme'`).toHaveLength(0);
    expect((await call('get', '/v1/audit-log?action=previewPipeline').expect(200)).body.data).toEqual([]);
    expect(
      (
        await call('post', '/v1/pipelines/plan')
          .send({ ...sent, frequency_minutes: 7 })
          .expect(400)
      ).body.errors[0].pointer,
    ).toBe('/frequency_minutes');
  });

  test('POST /v1/pipelines/{id}/plan does not change the pipeline, and reports a rejected API key in the result', async () => {
    const { input, key } = await createPipelineInput(api);
    const { body: created } = await call('post', '/v1/pipelines').send(input).expect(201);
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'nobody' }).expect(200);
    const { body } = await call('post', `/v1/pipelines/${created.id}/plan`)
      .send({ objects: { skills: { included: true } } })
      .expect(200);
    expect(body).toMatchObject({ account: { ok: false, error: { code: 'source_auth' } }, estimate: null });
    expect(body.tables.map((t: { object: string }) => t.object)).toContain('skills');
    expect((await call('get', `/v1/pipelines/${created.id}`).expect(200)).body).toEqual(created);
  });
});
