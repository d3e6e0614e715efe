import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import type { App } from '../context.ts';
import { isBodyOptional } from './bodies.ts';
import { addExamples } from './examples.ts';
import { namedSchemas } from './schemas.ts';

const VERSION = '0.1.0';

const DESCRIPTION = [
  'Freshet replicates a Freshdesk account into a PostgreSQL warehouse. Use this API to configure pipelines, run and monitor them, and erase personal data.',
  '**Authentication.** Send an API token with each request: `Authorization: Bearer frt_…`.',
  '**Errors.** Errors are `application/problem+json` (RFC 9457) with a stable `code`. The page [/docs/errors](/docs/errors) lists all codes.',
  '**Pagination.** Lists with a `next_cursor` are paginated. Set the page size with `limit`. To get the next page, pass the `next_cursor` of the current page as `cursor`.',
  '**Updates.** `PATCH` accepts the representation that `GET` returns. Fields that contain their current values are not changed. A request that contains a different value for a read-only field is rejected with 400. To detect concurrent updates, send the `ETag` of the resource as `If-Match`.',
  '**Idempotency.** Unsafe requests accept an `Idempotency-Key`. If you repeat a request with the same key and content within 24 hours, the API returns the first response and does not execute the request again. Responses with status 429 or 5xx are an exception: after such a response, the repeated request is executed.',
  '**Rate limits.** The header `RateLimit-Remaining` contains the number of requests that the token has left in the current minute.',
  '**Formatting.** To get indented JSON, send `Accept: application/json; indent=2`. The indent can be 1 to 8 spaces.',
].join('\n\n');

const TAGS = [
  {
    name: 'credentials',
    description: 'API keys of Freshdesk accounts and passwords of warehouses. Secrets are write-only.',
  },
  { name: 'destinations', description: 'PostgreSQL warehouses.' },
  { name: 'pipelines', description: 'Replication of one Freshdesk account into one warehouse schema.' },
  { name: 'runs', description: 'Executions of a pipeline, such as syncs and audits: start, monitor and cancel them.' },
  { name: 'failed units', description: 'Units of work that keep failing: list, retry and discard them.' },
  { name: 'rejected records', description: 'Records that could not be loaded: inspect, replay and discard them.' },
  {
    name: 'erasures',
    description: 'Erasure of personal data from the warehouse and from the data that Freshet stores.',
  },
  { name: 'warehouse', description: 'The tables of a pipeline in the warehouse, previews of their rows, and queries.' },
  {
    name: 'reports',
    description:
      'Reports on tickets, agents, service levels and satisfaction. They read the analytics models in the warehouse.',
  },
  { name: 'accounts', description: 'Rate limits of Freshdesk accounts.' },
  { name: 'catalog', description: 'The objects that can be replicated.' },
  { name: 'usage', description: 'Records, bytes, credits and lag per day.' },
  { name: 'webhooks', description: 'Notifications about events.' },
  { name: 'system', description: 'Processes, queues and dead jobs of the deployment.' },
  { name: 'tokens', description: 'API tokens, their roles and scopes.' },
  { name: 'audit log', description: 'Changes that were made through the API, previews of tables, and queries.' },
  { name: 'health', description: 'Probes of the process.' },
];

/** Registers the OpenAPI document, which is generated from the schemas of the routes. */
export async function registerOpenApi(app: App): Promise<void> {
  // Sort the schemas, so that the document does not depend on the order of imports.
  for (const schema of namedSchemas.toSorted((a, b) => (getSchemaId(a) < getSchemaId(b) ? -1 : 1)))
    app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Freshet',
        version: VERSION,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        contact: { name: 'Freshet', url: 'https://github.com/freshet/freshet' },
      },
      servers: [{ url: '/', description: 'This deployment.' }],
      tags: TAGS,
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An API token: `frt_…`.' } },
      },
      security: [{ token: [] }],
    },
    transformObject: (document) =>
      'openapiObject' in document
        ? withExamples(addDiscriminatorMappings(markOptionalBodies(document.openapiObject)))
        : document.swaggerObject,
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined) ?? `def-${i}` },
  });
}

type Document = Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>['openapiObject'];

/** Marks bodies without required properties as optional. */
function markOptionalBodies(document: Document): Document {
  for (const path of Object.values(document.paths ?? {})) {
    const body = path?.post?.requestBody;
    if (!body || !('content' in body)) continue;
    const reference = (body.content['application/json']?.schema as { $ref?: string } | undefined)?.$ref
      ?.split('/')
      .at(-1);
    if (reference !== undefined && isBodyOptional({ $ref: reference })) body.required = false;
  }
  return document;
}

function withExamples(document: Document): Document {
  addExamples(document);
  return document;
}

interface Choice {
  discriminator?: { readonly propertyName: string; mapping?: Record<string, string> };
  readonly oneOf?: readonly { readonly $ref: string }[];
  readonly properties?: Readonly<Record<string, { readonly const?: unknown; readonly enum?: readonly unknown[] }>>;
}

/**
 * Adds mappings to discriminators, because code generators need them. The schemas of the routes
 * cannot contain mappings, because the validator rejects such schemas.
 */
function addDiscriminatorMappings(document: Document): Document {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Choice>;
  for (const { discriminator, oneOf } of Object.values(schemas)) {
    if (!discriminator) continue;
    const valueFor = ($ref: string) => {
      const property = schemas[$ref.split('/').at(-1) as string]?.properties?.[discriminator.propertyName];
      return String(property?.const ?? property?.enum?.[0]);
    };
    discriminator.mapping = Object.fromEntries((oneOf ?? []).map(({ $ref }) => [valueFor($ref), $ref]));
  }
  return document;
}

const getSchemaId = (schema: object): string => (schema as { $id?: string }).$id ?? '';
