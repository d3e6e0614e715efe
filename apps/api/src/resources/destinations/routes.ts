import { parseHost } from '@freshet/contracts';
import type { Destination as StoredDestination } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { catchFieldProblems } from '../../http/field-problems.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { registerResourceRoutes } from '../../http/resource-routes.ts';
import { IdParams } from '../../http/schemas.ts';
import { testDestination } from './connection-test.ts';
import { toDestinationJson } from './json.ts';
import { Destination, DestinationInput, DestinationList, DestinationTestResult, DestinationUpdate } from './schemas.ts';
import { findCaProblems } from './validation.ts';

export function registerDestinationRoutes(app: App, deps: Deps): void {
  const { destinations } = deps.store;
  registerResourceRoutes<StoredDestination>(app, {
    path: 'destinations',
    noun: 'Destination',
    plural: 'Destinations',
    tag: 'destinations',
    managePermission: 'manage_connections',
    summaries: {
      create: [
        'Create a destination',
        'Creates a destination without connecting to the warehouse. Test the destination to verify the connection.',
      ],
      list: ['List destinations', 'Lists destinations, newest first.'],
      get: ['Get a destination', 'Returns a destination.'],
      update: ['Update a destination', 'Updates a destination. Load workers use the new values for their next batch.'],
      delete: [
        'Delete a destination',
        'Deletes a destination. The warehouse itself is not changed. If pipelines use the destination, the request is rejected with 409.',
      ],
    },
    schemas: { input: DestinationInput, update: DestinationUpdate, output: Destination, list: DestinationList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Return only the destination with this name.' })),
    },
    create: (body: Static<typeof DestinationInput>) => {
      const { port = 5432, ssl_mode = 'verify-full', ...rest } = body;
      return destinations.create({ ...rest, port, ssl_mode });
    },
    list: (options, filter) => destinations.list(options, filter),
    get: (id) => destinations.get(id),
    findProblems: async (input: Static<typeof DestinationUpdate>) => [
      ...(input.host === undefined ? [] : catchFieldProblems('/host', () => parseHost(input.host as string))),
      ...findCaProblems(input.ssl_ca),
      ...(await destinations.findReferenceProblems(input)),
    ],
    update: (id, body: Static<typeof DestinationUpdate>, expectedVersion) =>
      destinations.update(id, body, expectedVersion),
    delete: (id, expectedVersion) => destinations.delete(id, expectedVersion),
    toJson: toDestinationJson,
  });
  registerTestDestination(app, deps);
}

function registerTestDestination(app: App, deps: Deps): void {
  app.post(
    '/v1/destinations/:id/test',
    {
      config: { permission: 'manage_connections', isReadOnly: true },
      schema: {
        ...operation({
          operationId: 'testDestination',
          tags: ['destinations'],
          summary: 'Test a destination',
          description:
            'Connects to the warehouse, and checks the privileges that a pipeline needs. Nothing is created. If the connection fails, the status is 200 and the result contains an `error`.',
        }),
        params: IdParams,
        querystring: Type.Object({
          schema: Type.Optional(
            Type.String({ description: 'The schema to check. Default: `freshdesk`.', maxLength: 63 }),
          ),
        }),
        response: { 200: response('The result of the test.', DestinationTestResult), ...problemResponses(404) },
      },
    },
    async ({ params, query }) =>
      testDestination(deps, await deps.store.destinations.get(params.id), query.schema ?? 'freshdesk'),
  );
}
