import { describe, expect, test } from 'vitest';
import { KEY_INPUT, useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

describe('the API for credentials', () => {
  test('creates, gets, lists, updates and deletes a credential without returning its secret (I6)', async () => {
    const created = await call('post', '/v1/credentials').send(KEY_INPUT).expect(201);
    expect(created.headers['location']).toBe(`/v1/credentials/${created.body.id}`);
    expect(created.body).toMatchObject({ name: 'key', type: 'freshdesk_api_key', hint: '-key' });
    expect(created.text).not.toContain('demo-admin-key');
    expect((await call('get', `/v1/credentials/${created.body.id}`).expect(200)).body).toEqual(created.body);
    expect((await call('get', '/v1/credentials').expect(200)).body).toEqual({
      data: [created.body],
      next_cursor: null,
    });
    const rotated = await call('patch', `/v1/credentials/${created.body.id}`)
      .send({ name: 'other', api_key: 'another-secret-9876' })
      .expect(200);
    expect(rotated.body).toMatchObject({ name: 'other', hint: '9876' });
    expect(await api.store.credentials.reveal(created.body.id, 'freshdesk_api_key')).toBe('another-secret-9876');
    await call('delete', `/v1/credentials/${created.body.id}`).expect(204);
    await call('get', `/v1/credentials/${created.body.id}`).expect(404);
  });

  test.each([
    ['a missing type', { name: 'x' }, '/type'],
    ['a name of 256 characters', { ...KEY_INPUT, name: 'x'.repeat(256) }, '/name'],
    ['an unknown field', { ...KEY_INPUT, colour: 'red' }, '/colour'],
    ['a number as the name', { ...KEY_INPUT, name: 5 }, '/name'],
    ['an empty key', { ...KEY_INPUT, api_key: '' }, '/api_key'],
    ['a name with U+0000', { ...KEY_INPUT, name: 'a\u0000b' }, '/name'],
    ['an unpaired surrogate', { ...KEY_INPUT, name: 'a\ud800' }, '/name'],
  ])('rejects %s, and returns a pointer to the field', async (_name, input, pointer) => {
    const { body } = await call('post', '/v1/credentials').send(input).expect(400);
    expect(body.code).toBe('invalid_input');
    expect(body.errors.map((e: { pointer: string }) => e.pointer)).toContain(pointer);
  });

  test('PATCH rejects a secret that does not match the type of the credential', async () => {
    const { body: created } = await call('post', '/v1/credentials').send(KEY_INPUT).expect(201);
    const { body } = await call('patch', `/v1/credentials/${created.id}`).send({ password: 'x' }).expect(400);
    expect(body.errors[0].pointer).toBe('/password');
  });

  test('returns 409 for a name that is already in use', async () => {
    await call('post', '/v1/credentials').send(KEY_INPUT).expect(201);
    expect((await call('post', '/v1/credentials').send(KEY_INPUT).expect(409)).body.errors[0].pointer).toBe('/name');
  });
});
