import { type TObject, type TSchema, Type } from 'typebox';
import type { App } from '../app.ts';
import type { Permission } from '../permissions.ts';
import { IdParams, IfMatch, ListQuery, ref } from '../schemas/base.ts';
import { answer, expectedVersion, gone, listOptions, operation, problems, withEtag } from './route.ts';

type Page<S> = { readonly data: readonly S[]; readonly nextCursor: string | null };
type Query = { readonly limit?: number; readonly cursor?: string };

/** A resource of the API: made, listed, read, changed and deleted as every other one is. */
export interface Resource<S extends { readonly id: string; readonly version: number }> {
  /** Such as `credentials`. */
  readonly path: string;
  /** Such as `Credential`: operations are named after it. */
  readonly noun: string;
  readonly plural: string;
  readonly tag: string;
  readonly read?: Permission;
  readonly manage: Permission;
  /** What the document says of each operation: its summary and its description. */
  readonly said: Readonly<Record<'create' | 'list' | 'get' | 'change' | 'delete', readonly [summary: string, description: string]>>;
  readonly shapes: { readonly input: TSchema; readonly change: TSchema; readonly made?: TSchema; readonly output: TSchema; readonly list: TSchema };
  /** Filters of the list, beside `limit` and `cursor`. */
  readonly filters?: Readonly<Record<string, TSchema>>;
  create(body: never): Promise<S | { readonly stored: S; readonly shownOnce: object }>;
  list(options: { readonly limit: number; readonly cursor: string | null }, filter: Readonly<Record<string, never>>): Promise<Page<S>>;
  get(id: string): Promise<S>;
  change(id: string, body: never, expected: number | null): Promise<S>;
  delete(id: string, expected: number | null): Promise<void>;
  toJson(stored: S): object;
}

/** The five routes of a resource. */
export function resourceRoutes<S extends { readonly id: string; readonly version: number }>(app: App, resource: Resource<S>): void {
  const { path, noun, plural, shapes, manage, read = 'read', said } = resource;
  const about = (verb: 'create' | 'list' | 'get' | 'change' | 'delete') =>
    operation({ operationId: `${verb}${verb === 'list' ? plural : noun}`, tags: [resource.tag], summary: said[verb][0], description: said[verb][1] });
  const before = async (request: { readonly params: unknown }) => resource.toJson(await resource.get((request.params as { id: string }).id));
  const shape = (schema: TSchema) => ref(schema) as TSchema;

  app.post(
    `/v1/${path}`,
    {
      config: { permission: manage },
      schema: { ...about('create'), body: shape(shapes.input), response: { 201: answer('It was made.', shapes.made ?? shapes.output) } },
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
      const filter = Object.fromEntries(Object.keys(resource.filters ?? {}).map((name) => [name, query[name] as never]));
      const { data, nextCursor } = await resource.list(listOptions(query), filter);
      return { data: data.map((stored) => resource.toJson(stored)), next_cursor: nextCursor };
    },
  );

  app.get(
    `/v1/${path}/:id`,
    { config: { permission: read }, schema: { ...about('get'), params: IdParams, response: { 200: answer('As it is.', shapes.output), ...problems(404) } } },
    async (request, reply) => {
      const found = await resource.get(request.params.id);
      withEtag(reply, found.version);
      return resource.toJson(found);
    },
  );

  app.patch(
    `/v1/${path}/:id`,
    {
      config: { permission: manage, before },
      schema: {
        ...about('change'),
        params: IdParams,
        headers: IfMatch,
        body: shape(shapes.change),
        response: { 200: answer('As it is now.', shapes.output), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const changed = await resource.change(request.params.id, request.body as never, expectedVersion(request.headers));
      withEtag(reply, changed.version);
      return resource.toJson(changed);
    },
  );

  app.delete(
    `/v1/${path}/:id`,
    {
      config: { permission: manage, before },
      schema: { ...about('delete'), params: IdParams, headers: IfMatch, response: { 204: gone, ...problems(404, 412) } },
    },
    async (request, reply) => {
      await resource.delete(request.params.id, expectedVersion(request.headers));
      reply.code(204);
      return undefined;
    },
  );
}
