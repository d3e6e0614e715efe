import { describe, expect, test } from 'vitest';
import { createPipelineInput, UNKNOWN_ID, useTestApi } from '../../test-support/api.ts';

const api = useTestApi({ allowedAddresses: '127.0.0.0/8' });
const { call } = api;

describe('the API for destinations', () => {
  test('creates, updates, tests and deletes a destination', async () => {
    const { destination, destinationInput } = await createPipelineInput(api);
    expect(destination).toMatchObject(destinationInput);
    expect(destination.ssl_ca).toBeNull();
    const { body: refused } = await call('patch', `/v1/destinations/${destination.id}`)
      .send({ ssl_ca: 'no certificate' })
      .expect(400);
    expect(refused.errors[0].pointer).toBe('/ssl_ca');
    expect(
      (await call('patch', `/v1/destinations/${destination.id}`).send({ name: 'renamed' }).expect(200)).body,
    ).toMatchObject({
      ...destinationInput,
      name: 'renamed',
    });
    expect((await call('post', `/v1/destinations/${destination.id}/test`).expect(200)).body).toMatchObject({
      usable: true,
      missing_grants: [],
      error: null,
    });
    await call('delete', `/v1/destinations/${destination.id}`).expect(204);
  });

  test('the connection test of an unreachable destination returns 200 and the error', async () => {
    const { destination } = await createPipelineInput(api);
    await call('patch', `/v1/destinations/${destination.id}`).send({ port: 1 }).expect(200);
    const { body } = await call('post', `/v1/destinations/${destination.id}/test`).expect(200);
    expect(body).toMatchObject({
      usable: false,
      error: { code: 'warehouse_unavailable', message: expect.stringContaining('no server listens') },
    });
  });

  test('rejects a credential that has the wrong type or does not exist', async () => {
    const { key, destinationInput } = await createPipelineInput(api);
    for (const credential_id of [key.id, UNKNOWN_ID]) {
      const { body } = await call('post', '/v1/destinations')
        .send({ ...destinationInput, name: 'b', credential_id })
        .expect(400);
      expect(body.errors[0].pointer).toBe('/credential_id');
    }
  });
});
