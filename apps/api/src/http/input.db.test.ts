import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UNKNOWN_ID, useTestApi } from '../test-support/api.ts';

const api = useTestApi({
  simulator: { counts: { tickets: 5 } },
  allowedAddresses: '127.0.0.0/8',
});
const { call } = api;

let pipelineId: string;
let destinationInput: Record<string, unknown>;
let pipelineInput: Record<string, unknown>;

beforeAll(async () => {
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
beforeEach(async () => {
  const pipeline = await api.createPipeline();
  pipelineId = pipeline.id;
  const destination = await api.store.destinations.get(pipeline.destination_id);
  destinationInput = {
    name: 'other',
    type: 'postgres',
    host: 'h.example',
    database: 'd',
    username: 'u',
    credential_id: destination.credential_id,
  };
  pipelineInput = {
    name: 'other',
    source: { type: 'freshdesk', subdomain: 'other', credential_id: pipeline.credential_id },
    destination_id: pipeline.destination_id,
    destination_schema: 'other',
  };
});

const pointers = (body: { errors?: { pointer: string }[] }) => (body.errors ?? []).map(({ pointer }) => pointer);

describe('a request without a body', () => {
  const EMPTY = {
    'no body, and no content type': { headers: {}, chunks: [] },
    'no body, and a content type': { headers: { 'content-type': 'application/json' }, chunks: [] },
    'Content-Length: 0': { headers: { 'content-type': 'application/json', 'content-length': '0' }, chunks: [] },
    'an empty chunked body': {
      headers: { 'content-type': 'application/json; charset=utf-8', 'transfer-encoding': 'chunked' },
      chunks: [],
    },
    'a body of whitespace': {
      headers: { 'content-type': 'application/json', 'content-length': '5' },
      chunks: [' \r\n', '\t '],
    },
    'an empty form body, such as curl -d sends': {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
      chunks: [],
    },
  } as const;

  async function send(
    method: string,
    path: string,
    { headers, chunks }: (typeof EMPTY)[keyof typeof EMPTY],
  ): Promise<{ status: number; text: string }> {
    const { port } = api.app.server.address() as AddressInfo;
    return await new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, method, path, headers: { ...headers, authorization: `Bearer ${api.token}` } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on('error', reject);
      for (const chunk of chunks) sent.write(chunk);
      sent.end();
    });
  }

  /** Lists the operations whose body is not required according to the OpenAPI document. */
  function listOperationsWithoutBody(): [string, string][] {
    const { paths } = api.app.swagger() as unknown as {
      paths: Record<string, Record<string, { requestBody?: { required?: boolean } }>>;
    };
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        // Exclude the route for Freshdesk webhooks. Its schema requires no field, but its handler
        // rejects an empty body.
        .filter(
          ([method, { requestBody }]) =>
            !path.includes('/inbound/') && (method === 'post' || method === 'delete') && requestBody?.required !== true,
        )
        .map(([method]): [string, string] => [
          method.toUpperCase(),
          path.replaceAll(/\{object\}/g, 'tickets').replaceAll(/\{\w+\}/g, UNKNOWN_ID),
        ]),
    );
  }

  test.each(Object.entries(EMPTY))(
    '%s: operations without required fields accept the request',
    async (_name, empty) => {
      const operations = listOperationsWithoutBody();
      expect(operations.length).toBeGreaterThan(20);
      for (const [method, path] of operations) {
        const { status, text } = await send(method, path, empty);
        // The status is 404 instead of 400, because the request is valid and only the id is
        // unknown. An operation without an id succeeds.
        const expected = path.includes(UNKNOWN_ID) ? [404] : [201, 204];
        expect(expected, `${method} ${path}: ${text}`).toContain(status);
      }
      expect((await send('POST', `/v1/pipelines/${pipelineId}/pause`, empty)).status).toBe(200);
      expect((await send('POST', `/v1/pipelines/${pipelineId}/runs`, empty)).status).toBe(202);
    },
  );

  test.each(Object.entries(EMPTY))(
    '%s: operations with required fields reject the request with 400',
    async (_name, empty) => {
      for (const [method, path] of [
        ['POST', '/v1/pipelines'],
        ['PATCH', `/v1/pipelines/${pipelineId}`],
        ['POST', `/v1/pipelines/${pipelineId}/objects/tickets/position`],
      ] as const) {
        const { status, text } = await send(method, path, empty);
        expect(status, text).toBe(400);
        expect(JSON.parse(text)).toMatchObject({
          code: 'invalid_input',
          detail: expect.stringContaining('no body'),
          errors: [{ pointer: '/' }],
        });
      }
    },
  );

  test('a request with an unsupported content type or with invalid JSON is still rejected', async () => {
    expect((await call('post', '/v1/credentials').set('content-type', 'text/plain').send('{}')).status).toBe(415);
    expect((await call('post', '/v1/credentials').set('content-type', 'application/json').send('{"name"')).status).toBe(
      400,
    );
    expect(
      (await call('post', '/v1/credentials').set('content-type', 'application/json').send('{"__proto__": {}}')).status,
    ).toBe(400);
    expect(
      (await call('post', `/v1/pipelines/${pipelineId}/runs`).set('content-type', 'application/json').send('null'))
        .status,
    ).toBe(400);
  });
});

describe('invalid input', () => {
  test.each([
    ['two schema errors', { source: undefined, name: 'x'.repeat(256) }, ['/source', '/name']],
    [
      'two invalid fields of a schedule',
      { schedule: { cron: '61 * * * *', time_zone: 'Berlin' } },
      ['/schedule/cron', '/schedule/time_zone'],
    ],
    ['a schema error and an invalid value', { name: '', frequency_minutes: 90 }, ['/name', '/frequency_minutes']],
    [
      'a missing field and an invalid value in the same object',
      { schedule: { time_zone: 'Berlin' } },
      ['/schedule/cron', '/schedule/time_zone'],
    ],
    [
      'a wrong type and an invalid value in the same object',
      { schedule: { cron: 5, time_zone: 'Berlin' } },
      ['/schedule/cron', '/schedule/time_zone'],
    ],
    [
      'invalid references',
      { destination_id: UNKNOWN_ID, source: { type: 'freshdesk', subdomain: 'a_b', credential_id: UNKNOWN_ID } },
      ['/source/subdomain', '/source/credential_id', '/destination_id'],
    ],
    [
      'problems of several objects',
      { objects: { tikets: { included: true }, roles: { included: true, detail: true }, nothing: { included: true } } },
      ['/objects/tikets', '/objects/roles/detail', '/objects/nothing'],
    ],
    [
      'problems of several field rules',
      {
        objects: {
          tickets: {
            included: true,
            columns: { id: { drop: true }, subject: { rename: 'status' }, 'a/b': { rename: 'ctid' } },
          },
        },
      },
      ['/objects/tickets/columns/id', '/objects/tickets/columns/subject', '/objects/tickets/columns/a~1b'],
    ],
    [
      'field rules that name the column of a nested field instead of the field',
      {
        objects: {
          tickets: {
            included: true,
            columns: {
              stats_closed_at: { drop: true },
              'stats.closed_at': { rename: 'closed' },
              'stats.other': { rename: 'other' },
            },
          },
          ticket_activities: { included: true, columns: { group: { hash: true }, 'activity.group': { drop: true } } },
        },
      },
      [
        '/objects/tickets/columns/stats_closed_at',
        '/objects/tickets/columns/stats.other',
        '/objects/ticket_activities/columns/group',
      ],
    ],
    [
      'one problem for each invalid nullable field',
      { audit_frequency_days: 'x', monthly_quota: { records: 0, when_reached: 'never' } },
      ['/audit_frequency_days', '/monthly_quota/records', '/monthly_quota/when_reached'],
    ],
    [
      'unknown fields',
      { color: 'red', source: { type: 'zendesk', subdomain: 'other', credential_id: 'x', shade: 1 } },
      ['/color', '/source/shade', '/source/type', '/source/credential_id'],
    ],
    [
      'a string that cannot be stored and an invalid value',
      { name: 'a\u0000', frequency_minutes: 7 },
      ['/name', '/frequency_minutes'],
    ],
  ])('POST /v1/pipelines reports %s in one response', async (_name, wrong, expected) => {
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...pipelineInput, ...wrong })
      .expect(400);
    expect(body.code).toBe('invalid_input');
    expect(pointers(body)).toEqual(expected);
    // The order is stable.
    const { body: again } = await call('post', '/v1/pipelines').send({ ...pipelineInput, ...wrong });
    expect(again.errors).toEqual(body.errors);
  });

  test('each invalid field is reported in one problem, which states the valid values', async () => {
    const { body } = await call('post', '/v1/pipelines')
      .send({
        ...pipelineInput,
        audit_frequency_days: 'x',
        schema_policy: 5,
        source: { ...(pipelineInput['source'] as object), type: 'zendesk' },
      })
      .expect(400);
    expect(body.errors).toEqual([
      { pointer: '/source/type', detail: 'must be "freshdesk"' },
      { pointer: '/audit_frequency_days', detail: 'must be integer or null' },
      { pointer: '/schema_policy', detail: 'must be equal to one of the allowed values: evolve, freeze, discard' },
    ]);
  });

  test('problems of parameters, headers and the body are reported in one response', async () => {
    const { body } = await call('post', '/v1/pipelines/not-an-id/runs?wait=99&color=red')
      .set('idempotency-key', 'x'.repeat(256))
      .send({ kind: 'hope' })
      .expect(400);
    expect(pointers(body)).toEqual([
      '/params/id',
      '/kind',
      '/querystring/color',
      '/querystring/wait',
      '/headers/idempotency-key',
    ]);
  });

  test.each([
    ['credentials', { name: '', type: 'freshdesk_api_key', api_key: '', color: 1 }, ['/color', '/name', '/api_key']],
    ['credentials', { name: 'x' }, ['/type']],
    ['credentials', { name: 'x', type: 'password' }, ['/type']],
    [
      'destinations',
      { port: 0, host: '/run', ssl_ca: 'x', credential_id: UNKNOWN_ID },
      ['/name', '/type', '/database', '/username', '/port', '/host', '/ssl_ca', '/credential_id'],
    ],
    [
      'webhooks',
      { name: 'x', url: 'ftp://x', events: ['run.failed', 'run.failed'], enabled: 'yes' },
      ['/events', '/enabled', '/url'],
    ],
    [
      'tokens',
      { role: 'observer', scopes: ['run', 'erase'], expires_at: '2020-01-01T00:00:00Z' },
      ['/name', '/scopes', '/expires_at'],
    ],
  ])('POST /v1/%s reports all problems in one response: %j', async (path, input, expected) => {
    const { body } = await call('post', `/v1/${path}`).send(input).expect(400);
    expect(pointers(body)).toEqual(expected);
  });

  test('PATCH reports all problems in one response, including changed read-only fields', async () => {
    const { body } = await call('patch', `/v1/pipelines/${pipelineId}`)
      .send({ name: '', status: 'paused', frequency_minutes: 7, source: { subdomain: 'other' }, priority: 'low' })
      .expect(400);
    expect(pointers(body)).toEqual(['/name', '/priority', '/source/subdomain', '/status', '/frequency_minutes']);
  });

  test('the number of reported problems is limited (I9)', async () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`o${i}`, { included: 1 }]));
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...pipelineInput, objects: many })
      .expect(400);
    expect(body.errors.length).toBeLessThanOrEqual(101);
    expect(body.errors.at(-1).detail).toContain('more problems');
    const huge = Array.from({ length: 100_000 }, () => 0);
    const { body: first } = await call('post', '/v1/tokens')
      .send({ name: 't', role: 'observer', scopes: huge })
      .expect(400);
    expect(first.errors.length).toBeLessThan(5);
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`o${i}`, { included: true }]));
    const { body: known } = await call('post', '/v1/pipelines')
      .send({ ...pipelineInput, objects: unknown })
      .expect(400);
    expect(known.errors.length).toBeLessThanOrEqual(101);
  });
});

describe('hosts of destinations and URLs of webhooks', () => {
  const hosts = [
    '/var/run/postgresql',
    '@abstract',
    'postgres://h',
    'h:5432',
    'u@h',
    'h?x',
    'a,b',
    ' h',
    'h ',
    'h\t',
    'bücher.example',
    '%2Frun',
    '127.1',
    '../run',
  ];

  test.each(hosts)('a destination with the host %j is rejected', async (host) => {
    for (const attempt of [
      call('post', '/v1/destinations').send({ ...destinationInput, host }),
      call('patch', `/v1/destinations/${(await api.store.pipelines.get(pipelineId)).destination_id}`).send({ host }),
    ]) {
      const { status, body } = await attempt;
      expect(status).toBe(400);
      expect(pointers(body)).toEqual(['/host']);
      expect(body.detail).toContain('host must be a host name or an IP address');
    }
  });

  test.each(['warehouse.example.com', 'db', 'my_db', '10.0.0.1', '2001:db8::1', '[2001:db8::1]'])(
    'a destination with the host %s is accepted, and its host is returned unchanged',
    async (host) => {
      const { body } = await call('post', '/v1/destinations')
        .send({ ...destinationInput, host })
        .expect(201);
      expect(body.host).toBe(host);
    },
  );

  test('the connection test rejects a stored socket path without connecting to it', async () => {
    const { destination_id } = await api.store.pipelines.get(pipelineId);
    for (const host of ['/var/run/postgresql', '@socket']) {
      await api.sql`update freshet.destinations set host = ${host} where id = ${destination_id}`;
      const { body } = await call('post', `/v1/destinations/${destination_id}/test`).expect(200);
      expect(body).toMatchObject({
        usable: false,
        error: { code: 'address_refused', message: expect.stringContaining('Change the destination’s host') },
      });
    }
  });

  test.each(['http://[::1', 'http://a b/', 'unix:/run/hook', 'http://a%2Fb/', 'http://999.1.1.1/'])(
    'a webhook with the URL %s is rejected',
    async (url) => {
      const { body } = await call('post', '/v1/webhooks')
        .send({ name: 'w', url, events: ['run.failed'] })
        .expect(400);
      expect(pointers(body)).toEqual(['/url']);
    },
  );
});
