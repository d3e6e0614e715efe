import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import type { App } from '../app.ts';
import { isBodyOptional } from './bodies.ts';
import { addExamples } from './examples.ts';
import { named } from './schemas.ts';

const VERSION = '0.1.0';

const DESCRIPTION = `Freshet copies a Freshdesk account into a PostgreSQL warehouse and keeps it there, complete and current.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Lists are read page by page with \`limit\` and \`cursor\`.
\`PATCH\` accepts what \`GET\` returned: fields with their current value change nothing, and a read-only field with another value is a 400.
A resource's \`ETag\` can be given as \`If-Match\` with a change, which is then refused if somebody else changed the resource first.
Requests that change something take an \`Idempotency-Key\`: sent again with the same key, they give the first answer again. \`RateLimit-*\`
headers tell how many requests a token has left in this minute. With \`Accept: application/json; indent=2\` (1 to 8), JSON is indented.`;

const TAGS = [
  { name: 'credentials', description: 'Secrets of accounts and warehouses: written, never read back.' },
  { name: 'destinations', description: 'PostgreSQL warehouses.' },
  { name: 'pipelines', description: 'One Freshdesk account into one warehouse schema.' },
  { name: 'runs', description: 'Synchronisations: start, watch, cancel.' },
  { name: 'failed units', description: 'Units of work that keep failing: list, retry and discard them.' },
  { name: 'rejected records', description: 'Records that could not be loaded: see, replay, discard.' },
  { name: 'erasures', description: 'People who are taken out of the data, and kept out of it.' },
  { name: 'accounts', description: 'Freshdesk accounts: their credits.' },
  { name: 'catalog', description: 'The objects that can be read.' },
  { name: 'usage', description: 'What was read, loaded and spent.' },
  { name: 'webhooks', description: 'Others that are told of what happens.' },
  { name: 'system', description: 'How the deployment itself is.' },
  { name: 'tokens', description: 'Who may call, and what they may do.' },
  { name: 'audit log', description: 'Who changed what.' },
  { name: 'health', description: 'For whoever watches the process.' },
];

/** The document is written by the routes' own schemas; nothing in it is written twice. */
export async function registerOpenApi(app: App): Promise<void> {
  // In the order of their names, whoever was read first.
  for (const schema of named.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) app.addSchema(schema);
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
        ? withExamples(withMappings(withOptionalBodies(document.openapiObject)))
        : document.swaggerObject,
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined) ?? `def-${i}` },
  });
  await app.register(scalar, {
    routePrefix: '/docs',
    configuration: { url: '/v1/openapi.json', withDefaultFonts: false },
  });
}

type Document = Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>['openapiObject'];

/** A body of which nothing is required may be left out. */
function withOptionalBodies(document: Document): Document {
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

/** Says which value stands for which shape: the validator finds that out by itself, and takes no mapping. */
function withMappings(document: Document): Document {
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

const nameOf = (schema: object): string => (schema as { $id?: string }).$id ?? '';
