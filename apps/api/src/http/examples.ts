import { catalogue } from '@freshet/freshdesk-extractor';

/** As much of JSON Schema as the document uses. */
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

/** The sort of text that a field holds where its schema shows none: by the field's name, which means the same everywhere. */
const TEXTS: Readonly<Record<string, string | null>> = {
  object: catalogue.find((o) => o.pushedAs !== null)?.name ?? '',
  table: catalogue.find((o) => o.pushedAs !== null)?.name ?? '',
  parent: null,
  references: null,
  feature: null,
  name: 'acme',
  title: 'A name for people',
  description: 'What it is.',
  detail: 'frequency_minutes must be 30, or a whole number of hours up to 24.',
  message: 'What is wrong, and what would be right.',
  error: null,
  type: 'about:blank',
  request_id: '9f1c2b7e-40a1-4f6e-8c52-0d3f2f9f6a11',
  address: '203.0.113.7',
  hint: 'x7Qa',
  api_key: 'the key from the profile page of an admin',
  password: 'the password of the role',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  token: 'frt_0123456789abcdefghijklmnopqrst012345',
  template_secret: null,
  ssl_ca: null,
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
  way: 'keyset',
  permission: 'agent',
  primary_key: 'id',
  include: 'requester',
  unsearchable: 'tickets.requester_id',
  statements: 'create schema if not exists "freshdesk_acme";',
  missing_grants: 'GRANT USAGE, CREATE ON SCHEMA "freshdesk_acme" TO "freshet";',
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: '019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21',
  date: '2026-01-31',
  uri: 'https://developers.freshdesk.com/api/#tickets',
};

/** Fields of an answer that fit each other only in one way. */
const WHOLE: Readonly<Record<string, unknown>> = {
  error: null,
  errors: undefined,
  previous_until: null,
  failing_since: null,
  not_before: null,
  availability_message: null,
};

/** An example of a shape, made of the examples of its fields. */
function exampleOf(schema: Schema, schemas: Schemas, field: string): unknown {
  if (schema.$ref !== undefined)
    return exampleOf(schemas[schema.$ref.split('/').at(-1) as string] ?? {}, schemas, field);
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const nullable = schema.anyOf?.some(({ type }) => type === 'null') === true;
  if (nullable && field in WHOLE) return null;
  const choice = (schema.anyOf ?? schema.oneOf)?.[0];
  if (choice !== undefined) return exampleOf(choice, schemas, field);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
          // Read-only fields may be sent back, and need not.
          const isOmitted = property.readOnly === true || (name in WHOLE && WHOLE[name] === undefined);
          const example = isOmitted ? undefined : exampleOf(property, schemas, name);
          return example === undefined ? [] : [[name, example]];
        }),
      );
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items, schemas, field)];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return FORMATS[schema.format ?? ''] ?? (TEXTS[field] === undefined ? 'text' : TEXTS[field]);
    default:
      return {};
  }
}

/** What each status of a problem is called, and the code that comes with it most often. */
const PROBLEMS: Readonly<Record<string, readonly [title: string, code: string, detail: string]>> = {
  400: [
    'Bad Request',
    'invalid_input',
    'frequency_minutes must be 30, or a whole number of hours up to 24 (60, 120, … 1440); it is 7.',
  ],
  401: ['Unauthorized', 'unauthenticated', 'A valid token is needed: Authorization: Bearer frt_….'],
  403: ['Forbidden', 'permission_denied', 'This token’s role may not do this.'],
  404: ['Not Found', 'not_found', 'There is no pipeline 019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21.'],
  405: ['Method Not Allowed', 'not_found', 'This address does not take this method.'],
  409: ['Conflict', 'conflict', 'name: another pipeline has this name.'],
  412: [
    'Precondition Failed',
    'precondition_failed',
    'The pipeline has been changed since; read it again and repeat what you want.',
  ],
  422: ['Unprocessable Entity', 'idempotency_key_reused', 'This Idempotency-Key was used for another request.'],
  429: ['Too Many Requests', 'rate_limited', 'This token has no requests left in this minute.'],
  500: ['Internal Server Error', 'bug', 'Something went wrong on our side.'],
  502: ['Bad Gateway', 'warehouse_unavailable', 'The warehouse could not be reached.'],
  503: ['Service Unavailable', 'warehouse_busy', 'Not ready.'],
};

function problemExample(status: string): unknown {
  const [title, code, detail] = PROBLEMS[status] ?? [status, 'bug', ''];
  const errors = code === 'invalid_input' ? { errors: [{ pointer: '/frequency_minutes', detail }] } : {};
  return {
    type: 'about:blank',
    title,
    status: Number(status),
    code,
    detail,
    request_id: TEXTS['request_id'],
    ...errors,
  };
}

/** Gives every body and answer of the document an example, so that the reference page shows what is really sent. */
export function addExamples(document: {
  readonly paths?: unknown;
  readonly components?: { readonly schemas?: unknown };
}): void {
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  const fill = (body: Body | undefined, status: string) => {
    for (const [type, media] of Object.entries(body?.content ?? {})) {
      if (media.schema === undefined) continue;
      if (type === 'application/json') media.example = exampleOf(media.schema, schemas, '');
      else if (type === 'application/problem+json') media.example = problemExample(status);
    }
  };
  for (const path of Object.values((document.paths ?? {}) as Record<string, Record<string, OperationObject>>)) {
    for (const { requestBody, responses } of Object.values(path)) {
      fill(requestBody, '');
      for (const [status, response] of Object.entries(responses ?? {})) fill(response, status);
    }
  }
}
