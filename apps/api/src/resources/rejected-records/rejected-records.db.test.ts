import { describe, expect, test } from 'vitest';
import { createPipelineInput, UNKNOWN_ID, useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

describe('the API for rejected records', () => {
  test('returns empty results for a pipeline without rejected records, and rejects invalid requests', async () => {
    const { input } = await createPipelineInput(api);
    const { body: pipeline } = await call('post', '/v1/pipelines').send(input).expect(201);
    const path = `/v1/pipelines/${pipeline.id}/rejected-records`;
    expect((await call('get', path).expect(200)).body).toEqual({ data: [], next_cursor: null });
    expect((await call('post', `${path}/discard`).expect(200)).body).toEqual({ records: 0 });
    await call('post', `${path}/replay`).expect(404);
    await call('get', `${path}/${UNKNOWN_ID}`).expect(404);
    expect((await call('get', `${path}/replay`).expect(405)).headers['allow']).toBe('POST');
    await call('get', `/v1/pipelines/${UNKNOWN_ID}/rejected-records`).expect(404);
    expect((await call('post', `${path}/discard`).send({ object: 'nothing' }).expect(404)).body.detail).toContain(
      'does not exist',
    );
    expect(
      (
        await call('post', `${path}/replay`)
          .send({ ids: ['x'] })
          .expect(400)
      ).body.errors[0].pointer,
    ).toBe('/ids/0');
    await call('post', `${path}/replay`).send({ id: UNKNOWN_ID }).expect(400);
    // Runs of the kind `replay` can be started only with /rejected-records/replay.
    await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'replay' }).expect(400);
  });
});
