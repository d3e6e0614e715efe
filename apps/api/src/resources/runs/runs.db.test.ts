import { listObjectsToExtract } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { createPipelineInput, useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

describe('the API for runs', () => {
  test('starts, gets, lists and cancels a run, and returns the active run instead of starting a second run', async () => {
    const { input } = await createPipelineInput(api);
    const { body: pipeline } = await call('post', '/v1/pipelines').send(input).expect(201);
    const started = await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202);
    expect(started.headers['location']).toBe(`/v1/runs/${started.body.id}`);
    expect(started.body).toMatchObject({ pipeline_id: pipeline.id, status: 'queued', trigger: 'manual' });
    expect(started.body.objects).toHaveLength(listObjectsToExtract({}).length);
    expect((await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202)).body.id).toBe(started.body.id);
    expect((await call('get', `/v1/runs?pipeline_id=${pipeline.id}&status=queued`).expect(200)).body.data).toHaveLength(
      1,
    );
    expect((await call('post', `/v1/runs/${started.body.id}/cancel`).expect(200)).body).toMatchObject({
      status: 'cancelled',
      finished_at: expect.any(String),
    });
    expect((await call('get', `/v1/runs/${started.body.id}`).expect(200)).body.objects[0].status).toBe('cancelled');
  });

  test('an audit is a separate kind of run, with findings for each object', async () => {
    const { input } = await createPipelineInput(api);
    const { body: pipeline } = await call('post', '/v1/pipelines')
      .send({ ...input, audit_frequency_days: null })
      .expect(201);
    expect(pipeline).toMatchObject({ audit_frequency_days: null, next_audit_at: null });
    const { body: sync } = await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202);
    expect(sync).toMatchObject({ kind: 'sync' });
    expect(sync.objects[0].findings).toBeNull();
    // Only objects that have been extracted are audited.
    await api.sql`update freshet.pipeline_objects set position = '{}' where object = 'tickets'`;
    const { body: audit } = await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'audit' }).expect(202);
    expect(audit).toMatchObject({
      kind: 'audit',
      objects: [{ object: 'tickets', mode: 'audit', findings: { missing: 0, stale: 0, repaired: 0, explained: {} } }],
    });
    expect(
      (await call('get', `/v1/runs?pipeline_id=${pipeline.id}&kind=audit`).expect(200)).body.data.map(
        (r: { id: string }) => r.id,
      ),
    ).toEqual([audit.id]);
    const { body: changed } = await call('patch', `/v1/pipelines/${pipeline.id}`)
      .send({ audit_frequency_days: 30 })
      .expect(200);
    expect(Date.parse(changed.next_audit_at)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'look' }).expect(400);
    await call('patch', `/v1/pipelines/${pipeline.id}`).send({ audit_frequency_days: 0 }).expect(400);
  });

  test.each([
    '/v1/runs?limit=0',
    '/v1/runs?limit=1000',
    '/v1/runs?cursor=%25%25',
    '/v1/runs?status=fine',
    '/v1/runs/not-an-id',
  ])('rejects GET %s', async (path) => {
    expect((await call('get', path).expect(400)).body.code).toBe('invalid_input');
  });
});
