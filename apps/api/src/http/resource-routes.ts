import { type TObject, type TSchema, Type } from 'typebox';
import type { App } from '../app.ts';
import type { FieldProblem } from './field-problems.ts';
import { answer, expectedVersion, gone, listOptions, operation, problems, withEtag } from './operation.ts';
import type { Permission } from './permissions.ts';
import { compareWithCurrent, requireVersion } from './read-only-fields.ts';
import { IdParams, IfMatch, ListQuery, ref } from './schemas.ts';

type Page<S> = { readonly data: readonly S[]; readonly nextCursor: string | null };
type Query = { readonly limit?: number; readonly cursor?: string };

/** A resource of the API: made, listed, read, changed and deleted as every other one is. */
export interface Resource<S extends { readonly id: string; readonly version: number; readonly created_at: Date }> {
  /** Such as `credentials`. */
  readonly path: string;
  /** Such as `Credential`: operations are named after it. */
  readonly noun: string;
  readonly plural: string;
  readonly tag: string;
  readonly read?: Permission;
  readonly manage: Permission;
  /** What the document says of each operation: its summary and its description. */
  readonly said: Readonly<
    Record<'create' | 'list' | 'get' | 'change' | 'delete', readonly [summary: string, description: string]>
  >;
  readonly shapes: {
    readonly input: TSchema;
    readonly change: TSchema;
    readonly made?: TSchema;
    readonly output: TSchema;
    readonly list: TSchema;
  };
  /** Filters of the list, beside `limit` and `cursor`. */
  readonly filters?: Readonly<Record<string, TSchema>>;
  create(body: never): Promise<S | { readonly stored: S; readonly shownOnce: object }>;
  list(
    options: { readonly limit: number; readonly cursor: string | null },
    filter: Readonly<Record<string, never>>,
  ): Promise<Page<S>>;
  get(id: string): Promise<S>;
  change(id: string, body: never, expected: number | null): Promise<S>;
  delete(id: string, expected: number | null): Promise<void>;
  /**
   * Finds problems of an input, or of the changes of a resource, that their schemas cannot express.
   * @param input lacks fields that the schema refused; of a change it holds the fields that differ.
   * @param current the resource that is to be changed; null: it is to be created.
   */
  findProblems?(input: never, current: S | null): Promise<readonly FieldProblem[]> | readonly FieldProblem[];
  /** A change with fields in their stored spelling, so that another spelling of the same value is no change. */
  normalize?(body: never): object;
  toJson(stored: S): object;
}

/** The five routes of a resource. */
export function resourceRoutes<S extends { readonly id: string; readonly version: number; readonly created_at: Date }>(
  app: App,
  resource: Resource<S>,
): void {
  const { path, noun, plural, shapes, manage, read = 'read', said } = resource;
  const about = (verb: 'create' | 'list' | 'get' | 'change' | 'delete') =>
    operation({
      operationId: `${verb}${verb === 'list' ? plural : noun}`,
      tags: [resource.tag],
      summary: said[verb][0],
      description: said[verb][1],
    });
  const before = async (request: { readonly params: unknown }) =>
    resource.toJson(await resource.get((request.params as { id: string }).id));
  const shape = (schema: TSchema) => ref(schema) as TSchema;
  const findProblems = async (input: unknown, current: S | null) =>
    (await resource.findProblems?.(input as never, current)) ?? [];
  const compare = (current: S, body: unknown) =>
    compareWithCurrent(
      shapes.change,
      resource.toJson(current),
      resource.normalize?.(body as never) ?? (body as object),
      current.created_at,
    );

  app.post(
    `/v1/${path}`,
    {
      config: { permission: manage, findProblems: async (_request, body) => findProblems(body, null) },
      schema: {
        ...about('create'),
        body: shape(shapes.input),
        response: { 201: answer('It was made.', shapes.made ?? shapes.output) },
      },
    },
    async (request, reply) => {
      const made = await resource.create(request.body as never);
      const { stored, shownOnce } = 'stored' in made ? made : { stored: made, shownOnce: {} };
      withEtag(reply, stored.version).code(201).header('location', `/v1/${path}/${stored.id}`);
      return { ...resource.toJson(stored), ...shownOnce };
    },
  );

  app.get(
    `/v1/${path}`,
    {
      config: { permission: read },
      schema: {
        ...about('list'),
        querystring: Type.Object({ ...ListQuery, ...resource.filters }) as TObject,
        response: { 200: answer('One page.', shapes.list) },
      },
    },
    async (request) => {
      const query = request.query as Query & Readonly<Record<string, never>>;
      // By what the document says and nothing else: a name becomes a column's.
      const filter = Object.fromEntries(
        Object.keys(resource.filters ?? {}).map((name) => [name, query[name] as never]),
      );
      const { data, nextCursor } = await resource.list(listOptions(query), filter);
      return { data: data.map((stored) => resource.toJson(stored)), next_cursor: nextCursor };
    },
  );

  app.get(
    `/v1/${path}/:id`,
    {
      config: { permission: read },
      schema: {
        ...about('get'),
        params: IdParams,
        response: { 200: answer('As it is.', shapes.output), ...problems(404) },
      },
    },
    async (request, reply) => {
      const found = await resource.get(request.params.id);
      withEtag(reply, found.version);
      return resource.toJson(found);
    },
  );

  app.patch(
    `/v1/${path}/:id`,
    {
      config: {
        permission: manage,
        before,
        findProblems: async (request, body) => {
          const current = await resource.get((request.params as { id: string }).id);
          requireVersion(current, expectedVersion(request.headers));
          const { changes, problems } = compare(current, body);
          return [...problems, ...(await findProblems(changes, current))];
        },
      },
      schema: {
        ...about('change'),
        params: IdParams,
        headers: IfMatch,
        body: shape(shapes.change),
        response: { 200: answer('As it is now.', shapes.output), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const current = await resource.get(request.params.id);
      const { changes } = compare(current, request.body);
      const isUnchanged = Object.keys(changes).length === 0;
      const changed = isUnchanged
        ? current
        : await resource.change(request.params.id, changes as never, expectedVersion(request.headers));
      withEtag(reply, changed.version);
      return resource.toJson(changed);
    },
  );

  app.delete(
    `/v1/${path}/:id`,
    {
      config: { permission: manage, before },
      schema: {
        ...about('delete'),
        params: IdParams,
        headers: IfMatch,
        response: { 204: gone, ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      await resource.delete(request.params.id, expectedVersion(request.headers));
      reply.code(204);
      return undefined;
    },
  );
}
