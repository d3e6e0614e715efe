/** Tests that every operation must pass. Each operation of the OpenAPI document has one case. */
import { randomUUID } from 'node:crypto';
import type { TokenRole } from '@freshet/control-store';
import supertest from 'supertest';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Method, UNKNOWN_ID, useTestApi } from '../test-support/api.ts';
import { OPERATION_CASES, OPERATION_PERMISSIONS } from '../test-support/operation-cases.ts';
import { createWorld, type World } from '../test-support/world.ts';
import { hasPermission, PERMISSION_NAMES, type Permission, ROLES } from './permissions.ts';

const ROLE_NAMES = Object.keys(ROLES) as TokenRole[];

const api = useTestApi({
  simulator: { counts: { tickets: 5 } },
  allowedAddresses: '127.0.0.0/8',
  resetsBeforeEach: false,
});
let tokens: Readonly<Record<TokenRole, string>>;

beforeAll(() => resetWorld());

/** Deletes all resources. Then creates a token for each role, and the resources of the cases. */
async function resetWorld(): Promise<World> {
  await api.reset();
  const entries = [];
  for (const role of ROLE_NAMES) {
    const { value } = await api.store.tokens.create({ name: role, role, scopes: null, expires_at: null });
    entries.push([role, value]);
  }
  tokens = Object.fromEntries(entries);
  return createWorld(api);
}

interface Operation {
  readonly operationId: string;
  readonly method: Method;
  readonly path: string;
  readonly hasBody: boolean;
  readonly isList: boolean;
  readonly acceptsIfMatch: boolean;
}

/** Lists all operations of the OpenAPI document that require a token. */
function listOperations(): Operation[] {
  interface OperationObject {
    readonly operationId: string;
    readonly security?: unknown[];
    readonly requestBody?: unknown;
    readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  }
  const { paths } = api.app.swagger() as unknown as { paths: Record<string, Record<Method, OperationObject>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security?.length !== 0)
      .map(([method, { operationId, requestBody, parameters = [] }]) => ({
        operationId,
        method: method as Method,
        path,
        hasBody: requestBody !== undefined,
        isList: parameters.some((p) => p.name === 'cursor'),
        acceptsIfMatch: parameters.some((p) => p.name === 'if-match'),
      })),
  );
}

const fillPath = (path: string, params: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `no ${name}`);
const fillWithUnknownIds = (path: string) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'object' ? 'tickets' : name === 'subdomain' ? 'acme' : UNKNOWN_ID,
  );
const call = (method: Method, path: string, token = tokens.team_admin) => api.call(method, path, token);

test('every operation of the OpenAPI document has exactly one test case, and there are no other cases', () => {
  expect(Object.keys(OPERATION_CASES).sort()).toEqual(
    listOperations()
      .map((o) => o.operationId)
      .sort(),
  );
});

describe.each(Object.entries(OPERATION_CASES))('%s', (operationId, spec) => {
  const operation = () => listOperations().find((o) => o.operationId === operationId) as Operation;
  const send = (world: World, given: { params?: Readonly<Record<string, string>>; body?: object } = {}) => {
    const { method, path } = operation();
    const request = call(method, fillPath(path, given.params ?? spec.params?.(world) ?? {}));
    const body = given.body ?? spec.body?.(world);
    return body === undefined ? request : request.send(body);
  };

  test('succeeds, and executes requests with the same `Idempotency-Key` only once', async () => {
    const world = await resetWorld();
    await spec.prepare?.(world, api);
    const { method } = operation();
    const key = randomUUID();
    const body = spec.body?.(world);
    const first = await send(world, body ? { body } : {}).set('idempotency-key', key);
    expect(first.status, first.text).toBe(spec.status);
    expect(first.headers['x-request-id']).toBeTruthy();
    expect(first.headers['ratelimit-remaining']).toBeTruthy();
    if (method === 'get' || spec.ignoresIdempotencyKey) return;
    const again = await send(world, body ? { body } : {}).set('idempotency-key', key);
    expect(again.status, again.text).toBe(first.status);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    for (const header of ['location', 'etag']) expect(again.headers[header]).toBe(first.headers[header]);
    const other = await call('post', '/v1/credentials')
      .set('idempotency-key', key)
      .send({ name: 'x', type: 'freshdesk_api_key', api_key: 'y' });
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  test('rejects unauthenticated and invalid requests', async () => {
    const { method, path, hasBody, isList, acceptsIfMatch } = operation();
    const anonymous = await supertest(api.app.server)[method](fillWithUnknownIds(path));
    expect(anonymous.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    const invalidRequests = [
      ...(path.includes('{id}') ? [() => call(method, fillWithUnknownIds(path).replace(UNKNOWN_ID, 'not-an-id'))] : []),
      ...(hasBody
        ? [
            () => call(method, fillWithUnknownIds(path)).send([1]),
            () => call(method, fillWithUnknownIds(path)).set('content-type', 'application/json').send('null'),
          ]
        : []),
      // Freshdesk may send additional properties.
      ...(hasBody && operationId !== 'receiveFreshdeskWebhook'
        ? [() => call(method, fillWithUnknownIds(path)).send({ no_such_field: 1 })]
        : []),
      ...(isList
        ? ['limit=0', 'limit=x', 'cursor=x'].map((query) => () => call(method, `${fillWithUnknownIds(path)}?${query}`))
        : []),
      ...(method === 'get' || spec.ignoresIdempotencyKey
        ? []
        : [() => call(method, fillWithUnknownIds(path)).set('idempotency-key', 'x'.repeat(256))]),
    ];
    for (const [i, request] of invalidRequests.entries()) {
      const { status, body } = await request();
      // Some lists check that the pipeline exists before they check the cursor. The pipeline of
      // these requests does not exist.
      expect([400, ...(isList && path.includes('{id}') ? [404] : [])], `${i}: ${JSON.stringify(body)}`).toContain(
        status,
      );
      expect(body).toMatchObject({
        type: status === 400 ? '/docs/errors#invalid_input' : '/docs/errors#not_found',
        code: status === 400 ? 'invalid_input' : 'not_found',
        request_id: expect.any(String),
      });
    }
    if (acceptsIfMatch) expect((await call(method, fillPath(path, {})).set('if-match', '"1"')).status).toBe(400);
  });

  test.each(ROLE_NAMES)(
    'rejects tokens with the role %s if the role or the scopes lack the permission',
    async (role) => {
      const { method, path } = operation();
      const permission = getPermission(operation());
      const { status, body } = await call(method, fillWithUnknownIds(path), tokens[role]);
      expect(status === 403, JSON.stringify(body)).toBe(!ROLES[role].includes(permission));
      const { value: scopedToken } = await api.store.tokens.create({
        name: 'scoped',
        role,
        scopes: PERMISSION_NAMES.filter((p) => p !== permission),
        expires_at: null,
      });
      const scoped = await call(method, fillWithUnknownIds(path), scopedToken);
      expect(scoped.body).toMatchObject({ status: 403, code: 'permission_denied' });
    },
  );

  test('returns 404 for a missing resource, 409 for a conflict and 412 for an outdated version', async () => {
    const world = await resetWorld();
    const { method, path, acceptsIfMatch } = operation();
    if (path.includes('{') && !spec.neverMissing) {
      const missing = spec.body
        ? call(method, fillWithUnknownIds(path)).send(spec.body(world))
        : call(method, fillWithUnknownIds(path));
      expect((await missing).body).toMatchObject({ status: 404, code: 'not_found' });
    }
    if (spec.conflict) {
      const key = randomUUID();
      const first = await send(world, spec.conflict(world)).set('idempotency-key', key);
      expect(first.body).toMatchObject({ status: 409, code: 'conflict' });
      const again = await send(world, spec.conflict(world)).set('idempotency-key', key);
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(again.body).toEqual(first.body);
    }
    if (acceptsIfMatch)
      expect((await send(world).set('if-match', '"999"')).body).toMatchObject({
        status: 412,
        code: 'precondition_failed',
      });
  });
});

function getPermission({ operationId }: Operation): Permission {
  return PERMISSION_NAMES.find((permission) => OPERATION_PERMISSIONS[permission].includes(operationId)) as Permission;
}

test('scopes restrict a role and never extend it', () => {
  expect(hasPermission({ role: 'observer', scopes: ['manage_tokens', 'read'] }, 'manage_tokens')).toBe(false);
  expect(hasPermission({ role: 'observer', scopes: ['manage_tokens', 'read'] }, 'read')).toBe(true);
  expect(hasPermission({ role: 'team_admin', scopes: ['read'] }, 'manage_tokens')).toBe(false);
});
