import { type TObject, type TSchema, Type } from 'typebox';
import type { App } from '../context.ts';
import type { FieldProblem } from './field-problems.ts';
import {
  noContent,
  operation,
  parseIfMatch,
  parseListQuery,
  problemResponses,
  response,
  setEtag,
} from './operation.ts';
import type { Permission } from './permissions.ts';
import { compareWithCurrent, requireVersion } from './read-only-fields.ts';
import { IdParams, IfMatch, ListQuery, ref } from './schemas.ts';

type Verb = 'create' | 'list' | 'get' | 'update' | 'delete';

interface StoredResource {
  readonly id: string;
  readonly version: number;
  readonly created_at: Date;
}

interface Page<S> {
  readonly data: readonly S[];
  readonly nextCursor: string | null;
}

/** A resource with the five standard operations: create, list, get, update and delete. */
export interface ResourceDefinition<S extends StoredResource> {
  /** The path segment, such as `credentials`. */
  readonly path: string;
  /** The name in operation ids, such as `Credential`. */
  readonly noun: string;
  readonly plural: string;
  readonly tag: string;
  /** Permission to list and get. Absent: `read`. */
  readonly readPermission?: Permission;
  /** Permission to create, update and delete. */
  readonly managePermission: Permission;
  /** Summary and description of each operation. */
  readonly summaries: Readonly<Record<Verb, readonly [summary: string, description: string]>>;
  readonly schemas: {
    readonly input: TSchema;
    readonly update: TSchema;
    /** The schema of the response to a creation. Absent: `output`. */
    readonly created?: TSchema;
    readonly output: TSchema;
    readonly list: TSchema;
  };
  /** Query parameters of the list, in addition to `limit` and `cursor`. */
  readonly filters?: Readonly<Record<string, TSchema>>;
  /** @returns the resource, or the resource and the fields that only this response contains. */
  create(body: never): Promise<S | { readonly stored: S; readonly oneTimeFields: object }>;
  list(
    options: { readonly limit: number; readonly cursor: string | null },
    filter: Readonly<Record<string, never>>,
  ): Promise<Page<S>>;
  get(id: string): Promise<S>;
  /** @param expectedVersion null: any version. */
  update(id: string, changes: never, expectedVersion: number | null): Promise<S>;
  /** @param expectedVersion null: any version. */
  delete(id: string, expectedVersion: number | null): Promise<void>;
  /**
   * Finds problems of a creation or an update that the schemas cannot express.
   * @param input the fields of the request, without those that the schema rejected. For an update,
   * only the fields that differ from `current`.
   * @param current the resource to update. Null: the request creates a resource.
   */
  findProblems?(input: never, current: S | null): Promise<readonly FieldProblem[]> | readonly FieldProblem[];
  /**
   * Converts fields to the notation in which they are stored, so that an equal value in a different
   * notation does not count as a change.
   */
  normalize?(body: never): object;
  toJson(stored: S): object;
}

/** Registers the five routes of a resource. */
export function registerResourceRoutes<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  registerCreate(app, resource);
  registerList(app, resource);
  registerGet(app, resource);
  registerUpdate(app, resource);
  registerDelete(app, resource);
}

function registerCreate<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  const { path, schemas } = resource;
  app.post(
    `/v1/${path}`,
    {
      config: {
        permission: resource.managePermission,
        findProblems: async (_request, body) => findProblems(resource, body, null),
      },
      schema: {
        ...describeOperation(resource, 'create'),
        body: toReference(schemas.input),
        response: { 201: response(`The created ${toWords(resource)}.`, schemas.created ?? schemas.output) },
      },
    },
    async (request, reply) => {
      const created = await resource.create(request.body as never);
      const { stored, oneTimeFields } = 'stored' in created ? created : { stored: created, oneTimeFields: {} };
      setEtag(reply, stored.version).code(201).header('location', `/v1/${path}/${stored.id}`);
      return { ...resource.toJson(stored), ...oneTimeFields };
    },
  );
}

function registerList<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  app.get(
    `/v1/${resource.path}`,
    {
      config: { permission: resource.readPermission ?? 'read' },
      schema: {
        ...describeOperation(resource, 'list'),
        querystring: Type.Object({ ...ListQuery, ...resource.filters }) as TObject,
        response: { 200: response('A page of the list.', resource.schemas.list) },
      },
    },
    async (request) => {
      const query = request.query as Readonly<Record<string, never>>;
      // Pass only documented filters, because the store uses the names of filters as column names.
      const filter = Object.fromEntries(
        Object.keys(resource.filters ?? {}).map((name) => [name, query[name] as never]),
      );
      const { data, nextCursor } = await resource.list(parseListQuery(query), filter);
      return { data: data.map((stored) => resource.toJson(stored)), next_cursor: nextCursor };
    },
  );
}

function registerGet<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  app.get(
    `/v1/${resource.path}/:id`,
    {
      config: { permission: resource.readPermission ?? 'read' },
      schema: {
        ...describeOperation(resource, 'get'),
        params: IdParams,
        response: { 200: response(`The ${toWords(resource)}.`, resource.schemas.output), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      const stored = await resource.get(request.params.id);
      setEtag(reply, stored.version);
      return resource.toJson(stored);
    },
  );
}

function registerUpdate<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  app.patch(
    `/v1/${resource.path}/:id`,
    {
      config: {
        permission: resource.managePermission,
        getPreviousState: ({ params }) => getRepresentation(resource, params),
        findProblems: async (request, body) => {
          const current = await resource.get((request.params as { id: string }).id);
          requireVersion(current, parseIfMatch(request.headers));
          const { changes, problems } = compare(resource, current, body);
          return [...problems, ...(await findProblems(resource, changes, current))];
        },
      },
      schema: {
        ...describeOperation(resource, 'update'),
        params: IdParams,
        headers: IfMatch,
        body: toReference(resource.schemas.update),
        response: {
          200: response(`The updated ${toWords(resource)}.`, resource.schemas.output),
          ...problemResponses(404, 412),
        },
      },
    },
    async (request, reply) => {
      const current = await resource.get(request.params.id);
      const { changes } = compare(resource, current, request.body);
      const isUnchanged = Object.keys(changes).length === 0;
      const updated = isUnchanged
        ? current
        : await resource.update(request.params.id, changes as never, parseIfMatch(request.headers));
      setEtag(reply, updated.version);
      return resource.toJson(updated);
    },
  );
}

function registerDelete<S extends StoredResource>(app: App, resource: ResourceDefinition<S>): void {
  app.delete(
    `/v1/${resource.path}/:id`,
    {
      config: {
        permission: resource.managePermission,
        getPreviousState: ({ params }) => getRepresentation(resource, params),
      },
      schema: {
        ...describeOperation(resource, 'delete'),
        params: IdParams,
        headers: IfMatch,
        response: { 204: noContent, ...problemResponses(404, 412) },
      },
    },
    async (request, reply) => {
      await resource.delete(request.params.id, parseIfMatch(request.headers));
      reply.code(204);
      return undefined;
    },
  );
}

function describeOperation<S extends StoredResource>(resource: ResourceDefinition<S>, verb: Verb) {
  const { noun, plural, tag, summaries } = resource;
  const [summary, description] = summaries[verb];
  return operation({ operationId: `${verb}${verb === 'list' ? plural : noun}`, tags: [tag], summary, description });
}

async function findProblems<S extends StoredResource>(
  resource: ResourceDefinition<S>,
  input: unknown,
  current: S | null,
): Promise<readonly FieldProblem[]> {
  return (await resource.findProblems?.(input as never, current)) ?? [];
}

function compare<S extends StoredResource>(resource: ResourceDefinition<S>, current: S, body: unknown) {
  return compareWithCurrent({
    schema: resource.schemas.update,
    current: resource.toJson(current),
    body: resource.normalize?.(body as never) ?? (body as object),
    createdAt: current.created_at,
  });
}

async function getRepresentation<S extends StoredResource>(
  resource: ResourceDefinition<S>,
  params: unknown,
): Promise<object> {
  return resource.toJson(await resource.get((params as { id: string }).id));
}

function toReference(schema: TSchema): TSchema {
  return ref(schema) as TSchema;
}

function toWords({ noun }: { readonly noun: string }): string {
  return noun.toLowerCase();
}
