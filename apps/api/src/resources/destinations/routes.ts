import { X509Certificate } from 'node:crypto';
import { parseHost, toAppError } from '@freshet/contracts';
import type { Destination as StoredDestination } from '@freshet/control-store';
import { Warehouse } from '@freshet/warehouse-loader';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { type FieldProblem, problemsFrom } from '../../http/field-problems.ts';
import { answer, operation, problems } from '../../http/operation.ts';
import { resourceRoutes } from '../../http/resource-routes.ts';
import { IdParams } from '../../http/schemas.ts';
import { Destination, DestinationChange, DestinationInput, DestinationList, DestinationVerdict } from './schemas.ts';

const tags = ['destinations'];

export function destinationRoutes(app: App, deps: Deps): void {
  const { store } = deps;
  const { destinations } = store;
  resourceRoutes<StoredDestination>(app, {
    path: 'destinations',
    noun: 'Destination',
    plural: 'Destinations',
    tag: 'destinations',
    manage: 'manage_connections',
    said: {
      create: ['Make a destination', 'Nothing is connected to yet; test it to try.'],
      list: ['List destinations', 'Newest first.'],
      get: ['Read a destination', 'As it was made or last changed.'],
      change: ['Change a destination', 'Loaders use the new address with their next batch.'],
      delete: ['Delete a destination', 'Refused while a pipeline uses it. The warehouse itself is not touched.'],
    },
    shapes: { input: DestinationInput, change: DestinationChange, output: Destination, list: DestinationList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
    },
    create: (body: Static<typeof DestinationInput>) => {
      const { port = 5432, ssl_mode = 'verify-full', ...rest } = body;
      return destinations.create({ ...rest, port, ssl_mode });
    },
    list: (options, filter) => destinations.list(options, filter),
    get: (id) => destinations.get(id),
    findProblems: async (input: Static<typeof DestinationChange>) => [
      ...(input.host === undefined ? [] : problemsFrom('/host', () => parseHost(input.host as string))),
      ...findCaProblems(input.ssl_ca),
      ...(await destinations.findReferenceProblems(input)),
    ],
    change: (id, body: Static<typeof DestinationChange>, expected) => destinations.change(id, body, expected),
    delete: (id, expected) => destinations.delete(id, expected),
    toJson,
  });

  app.post(
    '/v1/destinations/:id/test',
    {
      config: { permission: 'manage_connections', changesNothing: true },
      schema: {
        ...operation({
          operationId: 'testDestination',
          tags,
          summary: 'Try a destination',
          description:
            'Connects, and looks whether the role may make what a pipeline needs. A warehouse that cannot be used is an answer, not an error.',
        }),
        params: IdParams,
        querystring: Type.Object({
          schema: Type.Optional(
            Type.String({
              description: 'The schema to look at; by default one that does not exist yet.',
              maxLength: 63,
            }),
          ),
        }),
        response: { 200: answer('The verdict.', DestinationVerdict), ...problems(404) },
      },
    },
    async (request) =>
      testDestination(deps, await store.destinations.get(request.params.id), request.query.schema ?? 'freshdesk'),
  );
}

/** Works with a destination's warehouse over a connection of its own. */
export async function opened<T>(
  { store, reach }: Deps,
  destination: StoredDestination,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  const password = await store.credentials.reveal(destination.credential_id, 'postgres_password');
  const { host, port, database, username, ssl_mode: sslMode, ssl_ca: sslCa } = destination;
  const warehouse = new Warehouse({ host, port, database, username, password, sslMode, sslCa }, 1, reach);
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

/** Whether it can be used for a schema. One that cannot is an answer. */
export async function testDestination(deps: Deps, destination: StoredDestination, schema: string) {
  try {
    const { usable, serverVersion, missingGrants } = await opened(deps, destination, (warehouse) =>
      warehouse.test(schema),
    );
    return { usable, server_version: serverVersion, missing_grants: [...missingGrants], error: null };
  } catch (thrown) {
    const error = toAppError(thrown);
    return {
      usable: false,
      server_version: null,
      missing_grants: [],
      error: { code: error.code, message: error.message },
    };
  }
}

/** A text that is no certificate would only be found by a connection, which fails with a message of OpenSSL. */
function findCaProblems(pem: string | null | undefined): FieldProblem[] {
  if (pem === null || pem === undefined) return [];
  try {
    new X509Certificate(pem);
    return [];
  } catch {
    return [
      {
        pointer: '/ssl_ca',
        detail: 'ssl_ca: not a certificate. Give the text of the CA’s file, from -----BEGIN CERTIFICATE----- on.',
      },
    ];
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
