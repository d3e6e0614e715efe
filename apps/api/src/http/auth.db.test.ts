import { generateToken } from '@freshet/control-store';
import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import { KEY_INPUT, type Method, UNKNOWN_ID, useTestApi } from '../test-support/api.ts';

const api = useTestApi();

describe('authentication', () => {
  test.each([
    ['no token', {}],
    ['a different authentication scheme', { authorization: 'Basic abc' }],
    ['a mistyped token', { authorization: `Bearer ${api.token.slice(0, -1)}${api.token.endsWith('0') ? '1' : '0'}` }],
    ['an unknown token', { authorization: `Bearer ${generateToken()}` }],
  ])('a request with %s is rejected with 401', async (_name, headers) => {
    const { body, headers: responseHeaders } = await supertest(api.app.server)
      .get('/v1/pipelines')
      .set(headers)
      .expect(401);
    expect(responseHeaders['content-type']).toContain('application/problem+json');
    expect(body).toMatchObject({ status: 401, code: 'unauthenticated', request_id: responseHeaders['x-request-id'] });
  });

  test('an observer can read but not write', async () => {
    const observer = generateToken();
    await api.store.tokens.ensureBootstrap(observer);
    await api.sql`update freshet.api_tokens set role = 'observer' where id = (select max(id::text)::uuid from freshet.api_tokens)`;
    await supertest(api.app.server).get('/v1/pipelines').set('authorization', `Bearer ${observer}`).expect(200);
    const { body } = await supertest(api.app.server)
      .post('/v1/credentials')
      .set('authorization', `Bearer ${observer}`)
      .send(KEY_INPUT)
      .expect(403);
    expect(body.code).toBe('permission_denied');
  });

  test('every operation requires a token, except the probes and the exchange of a sign-in code', async () => {
    const document = api.app.swagger() as { paths: Record<string, Record<string, { security?: unknown[] }>> };
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const response = await supertest(api.app.server)[method as Method](
          path.replaceAll(
            /\{(\w+)\}/g,
            (_, name) => ({ object: 'tickets', subdomain: 'acme' })[name as string] ?? UNKNOWN_ID,
          ),
        );
        if (path === '/v1/sessions') expect(response.status).toBe(400);
        else if (operation.security?.length === 0) expect(response.status, path).toBe(200);
        else expect(response.status, `${method} ${path}`).toBe(401);
      }
    }
  });
});
