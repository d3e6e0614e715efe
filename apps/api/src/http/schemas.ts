import { type Static, type TObject, type TSchema, Type } from 'typebox';

/** Every shape of the API by its name: the OpenAPI document has them as components, and refers to them. */
export const named: TSchema[] = [];

export function name<T extends TSchema>($id: string, schema: T): T {
  const withId = { ...schema, $id };
  named.push(withId);
  return withId;
}

/** The shape that a schema refers to; a schema that is no reference is returned as it is. */
export function findNamed(schema: object): TSchema {
  const $id = (schema as { $ref?: string }).$ref?.replace(/#$/, '');
  if ($id === undefined) return schema as TSchema;
  return named.find((shape) => (shape as { $id?: string }).$id === $id) ?? (schema as TSchema);
}

/** A reference to a named shape, with its type. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` });
}

export const id = (what: string) =>
  Type.String({ format: 'uuid', description: `${what} (UUIDv7).`, examples: ['019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21'] });

export const time = (description: string) =>
  Type.String({
    format: 'date-time',
    description: `${description} RFC 3339, UTC.`,
    examples: ['2026-01-31T12:00:00.000Z'],
  });

/** Without a default: with one, Java's generator makes a class of its own of it that does not compile. What is meant where nothing is said stands in the description. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const text = (description: string, options: Record<string, unknown> = {}) =>
  Type.String({ description, ...options });
export const count = (description: string) => Type.Integer({ minimum: 0, description });

export const enumeration = <const V extends readonly string[]>($id: string, values: V, description: string) =>
  name($id, Type.Unsafe<V[number]>({ type: 'string', enum: [...values], description }));

export const object = <P extends Record<string, TSchema>>(properties: P, options: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

export const list = <T extends TSchema>($id: string, item: T) =>
  name(
    $id,
    object(
      {
        data: Type.Array(ref(item), { description: 'This page, newest first.' }),
        next_cursor: nullable(text('Give it as `cursor` to read the next page; null on the last one.')),
      },
      { description: 'One page of a list.' },
    ),
  );

/**
 * The shape of a change of a resource. Beside the fields that can be changed, it has the read-only fields of the resource, so that
 * a client can send back what it read.
 * @param writable the fields that can be changed, each optional.
 * @param resource the shape of the resource.
 */
export const change = <W extends Record<string, TSchema>>(
  $id: string,
  writable: W,
  resource: TObject,
  options: Record<string, unknown>,
) => {
  const others = Object.entries(resource.properties as Record<string, TSchema>).filter(
    ([field]) => !(field in writable),
  );
  const readOnly = Object.fromEntries(others.map(([field, schema]) => [field, Type.Optional(asReadOnly(schema))]));
  // In handlers, only the fields that can be changed are of interest.
  return name($id, object({ ...writable, ...readOnly }, { minProperties: 1, ...options }) as unknown as TObject<W>);
};

function asReadOnly(schema: TSchema): TSchema {
  const { description } = schema as { description?: string };
  const rule = 'Read-only: accepted with its current value, and refused with another one.';
  // The document keeps nothing beside a reference.
  const own = (schema as { $ref?: string }).$ref === undefined ? schema : { allOf: [schema] };
  return {
    ...own,
    readOnly: true,
    description: description === undefined ? rule : `${description} ${rule}`,
  } as TSchema;
}

export const stamps = { created_at: time('When it was made.'), updated_at: time('When it last changed.') };

const ProblemField = name(
  'ProblemField',
  object(
    {
      pointer: text('JSON pointer to the field.', { examples: ['/frequency_minutes'] }),
      detail: text('What is wrong with it.'),
    },
    { description: 'A field that is wrong.' },
  ),
);

export const Failure = name(
  'Failure',
  object(
    {
      code: text('The stable, machine-readable kind of failure.', { examples: ['source_auth'] }),
      message: text('What is wrong, and what would be right.'),
    },
    { description: 'Why something could not be done.' },
  ),
);

export const Problem = name(
  'Problem',
  object(
    {
      type: text('Always `about:blank`: `code` tells the kind of problem.'),
      title: text('The status in words.'),
      status: Type.Integer({ description: 'The HTTP status.' }),
      code: text('The stable, machine-readable kind of problem.', { examples: ['invalid_input'] }),
      detail: text('What is wrong, and what would be right.'),
      request_id: text('Names the request in the logs.'),
      errors: Type.Optional(Type.Array(ref(ProblemField), { description: 'Each field that is wrong.' })),
    },
    { description: 'A problem, as in RFC 9457.' },
  ),
);

export const resourceName = text('A name of your own, unique among its kind.', {
  minLength: 1,
  maxLength: 255,
  examples: ['acme'],
});
export const IdParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'The resource’s id.' }) });

export const ObjectParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The pipeline’s id.' }),
  object: Type.String({ description: 'The object’s name.' }),
});

export const ListQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'How many at most.' })),
  cursor: Type.Optional(Type.String({ description: 'The `next_cursor` of the page before.' })),
};

export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description: 'The `ETag` that the change is based on: it is refused if somebody changed the resource since.',
    }),
  ),
});
