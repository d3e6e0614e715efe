/**
 * The examples in the OpenAPI document. All bodies and responses show the same fictional deployment
 * of the company Acme.
 */
import { getErrorReferenceUrl } from './error-reference.ts';
import { EXAMPLE_IDS, EXAMPLE_OBJECT } from './example-values.ts';

/** The subset of JSON Schema that the document uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly readOnly?: boolean;
}
type Schemas = Readonly<Record<string, Schema>>;

interface Media {
  readonly schema?: Schema;
  example?: unknown;
}
interface Body {
  readonly content?: Readonly<Record<string, Media>>;
}
interface OperationObject {
  readonly requestBody?: Body;
  readonly responses?: Readonly<Record<string, Body>>;
}

/** Examples for string fields whose schemas have no example, keyed by field name. */
const STRING_EXAMPLES: Readonly<Record<string, string | null>> = {
  object: EXAMPLE_OBJECT,
  table: EXAMPLE_OBJECT,
  name: 'acme',
  error: null,
  request_id: '9f1c2b7e-40a1-4f6e-8c52-0d3f2f9f6a11',
  address: '203.0.113.7',
  hint: 'x7Qa',
  next_cursor: null,
  disabled_reason: null,
  server_version: '18.1',
  rename: 'urgency',
  table_prefix: '',
  bucket: 'account',
  changed_since_filter: 'updated_since',
  subdomain: 'acme',
  id: '4711',
  reason: 'value_not_bigint: group_id',
  record: null,
  ssl_ca: null,
  template_secret: null,
  statements: 'create schema if not exists "freshdesk_acme";',
  missing_grants: 'GRANT USAGE, CREATE ON SCHEMA "freshdesk_acme" TO "freshet";',
};

const FORMAT_EXAMPLES: Readonly<Record<string, string>> = {
  uuid: EXAMPLE_IDS.pipeline,
  date: '2026-01-31',
  uri: 'https://developers.freshdesk.com/api/#tickets',
};

/**
 * Nullable fields whose examples are null, because a value would contradict other fields of the
 * example.
 */
const NULL_FIELDS: ReadonlySet<string> = new Set([
  'error',
  'previous_until',
  'failing_since',
  'not_before',
  'availability_message',
  'stale_since',
  'completing_since',
  'blocked_until',
  'wanted_until',
  'findings',
  'paused_by',
  'record_spike',
  'monthly_quota',
  'schedule',
  'estimated_finished_at',
  'message',
  'next_attempt_at',
  'unread_from',
  'unread_to',
]);
/** Optional fields that examples omit. */
const OMITTED_FIELDS: ReadonlySet<string> = new Set(['errors', 'freshdesk_webhook']);

const schemaExamples = new Map<string, unknown>();

/**
 * Sets the example of a named schema. Use this function instead of the keyword `examples` if the
 * example has keys that are also JSON Schema keywords, such as `nullable`: @fastify/swagger would
 * convert such keys.
 */
export function setSchemaExample($id: string, example: unknown): void {
  schemaExamples.set($id, example);
}

/**
 * Builds an example of a schema from the examples of its fields.
 * @param field the name of the field that has this schema.
 */
function buildExample(schema: Schema, schemas: Schemas, field: string): unknown {
  if (schema.$ref !== undefined) {
    const $id = schema.$ref.split('/').at(-1) as string;
    return schemaExamples.get($id) ?? buildExample(schemas[$id] ?? {}, schemas, field);
  }
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const isNullable = schema.anyOf?.some(({ type }) => type === 'null') === true;
  if (isNullable && NULL_FIELDS.has(field)) return null;
  const branch = (schema.anyOf ?? schema.oneOf)?.[0];
  if (branch !== undefined) return buildExample(branch, schemas, field);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
          // An update may contain read-only fields, but they are not necessary.
          const isOmitted = property.readOnly === true || OMITTED_FIELDS.has(name);
          const example = isOmitted ? undefined : buildExample(property, schemas, name);
          return example === undefined ? [] : [[name, example]];
        }),
      );
    case 'array':
      return schema.items === undefined ? [] : [buildExample(schema.items, schemas, field)];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return (
        FORMAT_EXAMPLES[schema.format ?? ''] ?? (STRING_EXAMPLES[field] === undefined ? 'text' : STRING_EXAMPLES[field])
      );
    default:
      return {};
  }
}

/** The title of each status code, with a typical error code and detail. */
const PROBLEM_EXAMPLES: Readonly<Record<string, readonly [title: string, code: string, detail: string]>> = {
  400: [
    'Bad Request',
    'invalid_input',
    'frequency_minutes must be 30, or a whole number of hours up to 24 (60, 120, … 1440). The value is 7.',
  ],
  401: [
    'Unauthorized',
    'unauthenticated',
    'The request has no API token. Send the header "Authorization: Bearer frt_…".',
  ],
  403: [
    'Forbidden',
    'permission_denied',
    'The role observer does not include the permission manage_pipelines, which this operation requires.',
  ],
  404: ['Not Found', 'not_found', `Pipeline ${EXAMPLE_IDS.pipeline} does not exist.`],
  409: ['Conflict', 'conflict', 'name is already used by another pipeline.'],
  412: [
    'Precondition Failed',
    'precondition_failed',
    'If-Match: the resource has changed and now has a different version. Get it again, and repeat the request with the current ETag.',
  ],
  413: ['Payload Too Large', 'invalid_input', 'Request body is too large'],
  415: ['Unsupported Media Type', 'invalid_input', 'Unsupported Media Type'],
  422: [
    'Unprocessable Entity',
    'idempotency_key_reused',
    'Idempotency-Key: the key was used for a different request. Use a new key for each operation. Reuse a key only to retry the same request.',
  ],
  429: [
    'Too Many Requests',
    'rate_limited',
    'The limit of 1200 requests per minute is exceeded. Wait for the time in the Retry-After header, then repeat the request.',
  ],
  500: [
    'Internal Server Error',
    'bug',
    'An internal error occurred. To find the cause, search the log of the API for the request_id.',
  ],
  502: [
    'Bad Gateway',
    'source_unavailable',
    'Freshdesk did not respond to all requests within 60 seconds. Try again later.',
  ],
  503: [
    'Service Unavailable',
    'warehouse_busy',
    'Another session holds a lock on the table. The operation is retried.',
  ],
};

function buildProblemExample(status: string): unknown {
  const [title, code, detail] = PROBLEM_EXAMPLES[status] ?? [status, 'bug', ''];
  const errors = status === '400' ? { errors: [{ pointer: '/frequency_minutes', detail }] } : {};
  return {
    type: getErrorReferenceUrl(code),
    title,
    status: Number(status),
    code,
    detail,
    request_id: STRING_EXAMPLES['request_id'],
    ...errors,
  };
}

/** Adds an example to every body and response of the document. */
export function addExamples(document: {
  readonly paths?: unknown;
  readonly components?: { readonly schemas?: unknown };
}): void {
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  const addExample = (body: Body | undefined, status: string) => {
    for (const [type, media] of Object.entries(body?.content ?? {})) {
      if (media.schema === undefined) continue;
      if (type === 'application/json') media.example = buildExample(media.schema, schemas, '');
      else if (type === 'application/problem+json') media.example = buildProblemExample(status);
    }
  };
  for (const path of Object.values((document.paths ?? {}) as Record<string, Record<string, OperationObject>>)) {
    for (const { requestBody, responses } of Object.values(path)) {
      addExample(requestBody, '');
      for (const [status, response] of Object.entries(responses ?? {})) addExample(response, status);
    }
  }
}
