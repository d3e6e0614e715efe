import { X509Certificate } from 'node:crypto';
import { AppError, toAppError } from '@freshet/contracts';
import type { ControlStore, Destination as StoredDestination } from '@freshet/control-store';
import { Warehouse } from '@freshet/warehouse-loader';
import { Type } from 'typebox';
import type { App, Deps } from '../app.ts';
import { Destination, DestinationChange, DestinationInput, DestinationList, DestinationVerdict, IdParams, IfMatch, ListQuery, ref } from '../schemas.ts';
import { answer, expectedVersion, gone, listOptions, operation, problems, withEtag } from './route.ts';

const tags = ['destinations'];

export function destinationRoutes(app: App, { store }: Deps): void {
  app.post(
    '/v1/destinations',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({ operationId: 'createDestination', tags, summary: 'Make a destination', description: 'Nothing is connected to yet; test it to try.' }),
        body: ref(DestinationInput),
        response: { 201: answer('The destination.', Destination), ...problems(400, 401, 403, 409, 413, 415, 500) },
      },
    },
    async (request, reply) => {
      const { port = 5432, ssl_mode = 'verify-full', ...rest } = request.body;
      checkCa(rest.ssl_ca);
      const created = await store.destinations.create({ ...rest, port, ssl_mode });
      return withEtag(reply, created.version).code(201).header('location', `/v1/destinations/${created.id}`).send(toJson(created));
    },
  );

  app.get(
    '/v1/destinations',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'listDestinations', tags, summary: 'List destinations', description: 'Newest first.' }),
        querystring: Type.Object(ListQuery),
        response: { 200: answer('One page.', DestinationList), ...problems(400, 401, 403, 500) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await store.destinations.list(listOptions(request.query));
      return { data: data.map(toJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/destinations/:id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'getDestination', tags, summary: 'Read a destination', description: 'As it was made or last changed.' }),
        params: IdParams,
        response: { 200: answer('The destination.', Destination), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request, reply) => {
      const found = await store.destinations.get(request.params.id);
      return withEtag(reply, found.version).send(toJson(found));
    },
  );

  app.patch(
    '/v1/destinations/:id',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'changeDestination',
          tags,
          summary: 'Change a destination',
          description: 'Loaders use the new address with their next batch.',
        }),
        params: IdParams,
        headers: IfMatch,
        body: ref(DestinationChange),
        response: { 200: answer('The destination.', Destination), ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500) },
      },
    },
    async (request, reply) => {
      checkCa(request.body.ssl_ca);
      const changed = await store.destinations.change(request.params.id, request.body, expectedVersion(request.headers));
      return withEtag(reply, changed.version).send(toJson(changed));
    },
  );

  app.delete(
    '/v1/destinations/:id',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'deleteDestination',
          tags,
          summary: 'Delete a destination',
          description: 'Refused while a pipeline uses it. The warehouse itself is not touched.',
        }),
        params: IdParams,
        response: { 204: gone, ...problems(400, 401, 403, 404, 409, 500) },
      },
    },
    async (request, reply) => {
      await store.destinations.delete(request.params.id);
      return reply.code(204).send();
    },
  );

  app.post(
    '/v1/destinations/:id/test',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'testDestination',
          tags,
          summary: 'Try a destination',
          description: 'Connects, and looks whether the role may make what a pipeline needs. A warehouse that cannot be used is an answer, not an error.',
        }),
        params: IdParams,
        querystring: Type.Object({
          schema: Type.Optional(Type.String({ description: 'The schema to look at; by default one that does not exist yet.', maxLength: 63 })),
        }),
        response: { 200: answer('The verdict.', DestinationVerdict), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request) => testDestination(store, await store.destinations.get(request.params.id), request.query.schema ?? 'freshdesk'),
  );
}

async function testDestination(store: ControlStore, destination: StoredDestination, schema: string) {
  const password = await store.credentials.reveal(destination.credential_id, 'postgres_password');
  const { host, port, database, username, ssl_mode: sslMode, ssl_ca: sslCa } = destination;
  const warehouse = new Warehouse({ host, port, database, username, password, sslMode, sslCa }, 1);
  try {
    const verdict = await warehouse.test(schema);
    return { usable: verdict.usable, server_version: verdict.serverVersion, missing_grants: [...verdict.missingGrants], error: null };
  } catch (thrown) {
    const error = toAppError(thrown);
    return { usable: false, server_version: null, missing_grants: [], error: { code: error.code, message: error.message } };
  } finally {
    await warehouse.close();
  }
}

/** @throws AppError `invalid_input` for a text that holds no certificate: the connection would fail with words that nobody understands. */
function checkCa(pem: string | null | undefined): void {
  if (pem === null || pem === undefined) return;
  try {
    new X509Certificate(pem);
  } catch {
    throw new AppError('invalid_input', 'ssl_ca: not a certificate. Give the text of the CA’s file, from -----BEGIN CERTIFICATE----- on.', {
      context: { pointer: '/ssl_ca' },
    });
  }
}

function toJson(d: StoredDestination) {
  return {
    id: d.id,
    name: d.name,
    type: d.type,
    host: d.host,
    port: d.port,
    database: d.database,
    username: d.username,
    credential_id: d.credential_id,
    ssl_mode: d.ssl_mode,
    ssl_ca: d.ssl_ca,
    created_at: d.created_at.toISOString(),
    updated_at: d.updated_at.toISOString(),
  };
}
