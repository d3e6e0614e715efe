import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { EXAMPLE_CHILD_OBJECT, EXAMPLE_IDS, EXAMPLE_OBJECT, type ExampleId } from './example-values.ts';

/** All named schemas of the API: the components of the OpenAPI document. */
export const namedSchemas: TSchema[] = [];

/** Registers a schema as a component of the OpenAPI document. */
export function defineSchema<T extends TSchema>($id: string, schema: T): T {
  const namedSchema = { ...schema, $id };
  namedSchemas.push(namedSchema);
  return namedSchema;
}

/**
 * Returns the named schema to which a reference refers. If `schema` is not a reference, returns
 * `schema` itself.
 */
export function resolveSchema(schema: object): TSchema {
  const $id = (schema as { $ref?: string }).$ref?.replace(/#$/, '');
  if ($id === undefined) return schema as TSchema;
  return namedSchemas.find((named) => (named as { $id?: string }).$id === $id) ?? (schema as TSchema);
}

/** A reference to a named schema, with the type of the schema. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` });
}

/** A UUID. @param resource the kind of resource whose example id is used. */
export const uuid = (resource: ExampleId, description: string) =>
  Type.String({ format: 'uuid', description, examples: [EXAMPLE_IDS[resource]] });

export const timestamp = (description: string, example = '2026-01-31T12:00:00.000Z') =>
  Type.String({ format: 'date-time', description: `${description} RFC 3339, UTC.`, examples: [example] });

/**
 * A value that may be null. The schema has no `default`, because the OpenAPI generator for Java
 * would create a class that does not compile.
 */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const string = (description: string, options: Record<string, unknown> = {}) =>
  Type.String({ description, ...options });
export const count = (description: string, example?: number) =>
  Type.Integer({ minimum: 0, description, ...(example === undefined ? {} : { examples: [example] }) });

/** @param example the value in examples. Absent: the first value. */
export const enumeration = <const V extends readonly string[]>(
  $id: string,
  values: V,
  description: string,
  example?: V[number],
) =>
  defineSchema(
    $id,
    Type.Unsafe<V[number]>({
      type: 'string',
      enum: [...values],
      description,
      ...(example === undefined ? {} : { examples: [example] }),
    }),
  );

export const object = <P extends Record<string, TSchema>>(properties: P, options: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** A page of a list. */
export const pageSchema = <T extends TSchema>($id: string, item: T) =>
  defineSchema(
    $id,
    object(
      {
        data: Type.Array(ref(item), { description: 'The items of this page, newest first.' }),
        next_cursor: nullable(string('Pass this value as `cursor` to get the next page. Null on the last page.')),
      },
      { description: 'A page of a list.' },
    ),
  );

/**
 * The schema of an update of a resource. In addition to the writable fields, the schema contains
 * the read-only fields of the resource, so that a client can send back a representation that it
 * received.
 * @param writable the fields that can be changed. Each field is optional.
 * @param resource the schema of the resource.
 */
export const updateSchema = <W extends Record<string, TSchema>>(
  $id: string,
  writable: W,
  resource: TObject,
  options: Record<string, unknown>,
) => {
  const otherFields = Object.entries(resource.properties as Record<string, TSchema>).filter(
    ([field]) => !(field in writable),
  );
  const readOnly = Object.fromEntries(otherFields.map(([field, schema]) => [field, Type.Optional(toReadOnly(schema))]));
  // Handlers need only the type of the writable fields.
  return defineSchema(
    $id,
    object({ ...writable, ...readOnly }, { minProperties: 1, ...options }) as unknown as TObject<W>,
  );
};

/**
 * Marks a read-only field that Freshet changes often. An update ignores the value of the field.
 * Otherwise, a client that gets a resource and sends it back would often send an outdated value.
 */
export const ignoredInUpdates = <T extends TSchema>(schema: T): T => ({ ...schema, [IGNORED_IN_UPDATES]: true });

/** The keyword of fields that updates ignore. */
export const IGNORED_IN_UPDATES = 'x-ignored-in-updates';

function toReadOnly(schema: TSchema): TSchema {
  const { description } = schema as { description?: string };
  const rule =
    IGNORED_IN_UPDATES in schema
      ? 'Read-only: the value is ignored.'
      : 'Read-only: the request is rejected if the value differs from the current value.';
  // Keywords next to a `$ref` are missing from the generated document, so the reference is wrapped.
  const base = (schema as { $ref?: string }).$ref === undefined ? schema : { allOf: [schema] };
  return {
    ...base,
    readOnly: true,
    description: description === undefined ? rule : `${description} ${rule}`,
  } as TSchema;
}

export const timestamps = {
  created_at: timestamp('Time of creation.', '2026-01-05T07:30:00.000Z'),
  updated_at: timestamp('Time of the last update.', '2026-01-05T07:30:00.000Z'),
};

const ProblemField = defineSchema(
  'ProblemField',
  object(
    {
      pointer: string('JSON pointer (RFC 6901) to the field.', { examples: ['/frequency_minutes'] }),
      detail: string('The cause and the valid values.'),
    },
    { description: 'An invalid field.' },
  ),
);

export const Failure = defineSchema(
  'Failure',
  object(
    {
      code: string('A stable, machine-readable error code. The page `/docs/errors` lists all codes.', {
        examples: ['source_unavailable'],
      }),
      message: string('The cause and the remedy.', {
        examples: [`${EXAMPLE_OBJECT}/4711/${EXAMPLE_CHILD_OBJECT} returned status 500.`],
      }),
    },
    { description: 'An error that is part of a resource.' },
  ),
);

export const Problem = defineSchema(
  'Problem',
  object(
    {
      type: string(
        'A link to the documentation of the error code: `/docs/errors#` followed by the code. The link is relative to the origin of the deployment.',
      ),
      title: string('The reason phrase of the HTTP status.'),
      status: Type.Integer({ description: 'The HTTP status code.' }),
      code: string('A stable, machine-readable error code. The page `/docs/errors` lists all codes.', {
        examples: ['invalid_input'],
      }),
      detail: string('The cause of the error, and the remedy.'),
      request_id: string(
        'The id of the request. It is also contained in the log entries of the request, and in the response header `X-Request-Id`.',
      ),
      errors: Type.Optional(Type.Array(ref(ProblemField), { description: 'The invalid fields.' })),
    },
    { description: 'An error response, in the format of RFC 9457.' },
  ),
);

/** The `name` of a resource. */
export const resourceName = (example: string) =>
  string('A name that is unique among the resources of this kind.', {
    minLength: 1,
    maxLength: 255,
    examples: [example],
  });

export const IdParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'The id of the resource.' }) });

export const ObjectParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
  object: Type.String({ description: `The name of the object, such as \`${EXAMPLE_OBJECT}\`.` }),
});

export const ListQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'The maximum number of items on the page.' }),
  ),
  cursor: Type.Optional(Type.String({ description: 'The `next_cursor` of the previous page.' })),
};

export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description:
        'The `ETag` of the version on which the request is based. If the resource has changed and now has a different version, the request is rejected with 412.',
    }),
  ),
});

export const RotationInput = defineSchema(
  'RotationInput',
  object(
    {
      overlap_minutes: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 43_200,
          default: 60,
          description: 'The number of minutes for which the previous secret remains valid.',
        }),
      ),
    },
    { description: 'Options of a rotation.' },
  ),
);
