import { describe, expect, test } from 'vitest';
import { openSource, readObject } from '../test-support/source.ts';

describe('extract: error responses and invalid responses', () => {
  const openWithResponse = (status: number, headers: Record<string, string>, body: string) =>
    openSource({
      intercept: (_request, response) => {
        response.writeHead(status, headers).end(body);
        return true;
      },
    });
  const json = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };

  test.each([
    [
      'an invalid API key',
      401,
      json,
      '{"code":"invalid_credentials","message":"You have to be logged in."}',
      'source_auth',
    ],
    [
      'a missing permission',
      403,
      json,
      '{"code":"access_denied","message":"You are not authorized."}',
      'source_forbidden',
    ],
    [
      'a missing feature of the plan (T9)',
      403,
      json,
      '{"code":"require_feature","message":"The Surveys feature(s) is/are not supported in your plan."}',
      'source_not_in_plan',
    ],
    [
      'a host that is not Freshdesk',
      404,
      { 'content-type': 'text/html' },
      '<html>helpdesk not found</html>',
      'source_not_freshdesk',
    ],
    ['a redirect', 302, { location: 'https://www.freshworks.com/' }, '', 'source_not_freshdesk'],
    [
      'a web page of a different product',
      200,
      { 'content-type': 'text/html' },
      '<html>Welcome</html>',
      'source_not_freshdesk',
    ],
    [
      'an HTML page with status 200',
      200,
      { 'content-type': 'text/html', 'x-freshdesk-api-version': 'v2' },
      '<html>Maintenance</html>',
      'source_unavailable',
    ],
    ['a JSON object instead of a list', 200, json, '{"groups":[]}', 'source_contract'],
    ['a list of numbers', 200, json, '[1,2]', 'source_contract'],
    ['truncated JSON', 200, json, '[{"id":1},{"id":', 'source_unavailable'],
    ['an unavailable server', 503, {}, '', 'source_unavailable'],
    [
      'a rejected parameter',
      400,
      json,
      '{"description":"Validation failed","errors":[{"field":"page","message":"no","code":"invalid_value"}]}',
      'source_invalid_request',
    ],
  ])('maps %s to an error code', async (_name, status, headers, body, code) => {
    await using account = await openWithResponse(status, headers as Record<string, string>, body);
    await expect(readObject(account.client, 'groups')).rejects.toMatchObject({ code });
  });

  test('retries a request after a lost connection and after status 502', async () => {
    let faults = 0;
    await using account = await openSource({
      intercept: (_request, response) => {
        if (faults++ >= 2) return false;
        if (faults === 1) response.destroy();
        else response.writeHead(502).end();
        return true;
      },
    });
    expect((await readObject(account.client, 'groups')).records).toHaveLength(8);
  });
});
