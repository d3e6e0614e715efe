import SerializerSelector, { type Serializer, type SerializerFactory } from '@fastify/fast-json-stringify-compiler';

/**
 * Compiles the serializers of responses. A serializer is compiled when the first response needs it,
 * and with only the schemas that it refers to. Compiling all serializers at the start, each with
 * all schemas, would take most of the time that the API needs to start.
 *
 * `nullable` declares a union with null. To select the member of a union, a serializer compiles a
 * validator for each member, which takes several times as long as compiling the serializer itself.
 * Null needs no validator, so these unions are replaced with the keyword `nullable`.
 */
export const buildSerializer: SerializerFactory = (schemas, options) => {
  const named = schemas as Readonly<Record<string, object>>;
  const compile = SerializerSelector();
  return (route) => {
    let serialize: Serializer | null = null;
    return (response) => {
      if (serialize === null) {
        const picked = pickReferenced(named, route.schema);
        const definitions = mapValues(picked, (definition, id) => replaceNullUnions(definition, named, [id]));
        const schema = replaceNullUnions(route.schema, named, []);
        serialize = compile(definitions, options)({ ...route, schema });
      }
      return serialize(response);
    };
  };
};

/** Returns the named schemas that a schema refers to, directly or through other named schemas. */
function pickReferenced(named: Readonly<Record<string, object>>, schema: unknown): Record<string, object> {
  const picked: Record<string, object> = {};
  const pick = (from: unknown): void => {
    for (const [, id = ''] of JSON.stringify(from).matchAll(/"\$ref":"([^"#]+)/g)) {
      const referenced = named[id];
      if (referenced === undefined || picked[id] !== undefined) continue;
      picked[id] = referenced;
      pick(referenced);
    }
  };
  pick(schema);
  return picked;
}

/**
 * Replaces each union of a schema and null with the schema and `nullable`. A reference to a named
 * schema is replaced with a copy of this schema, unless the reference is part of the same schema.
 * @param path the names of the named schemas that contain the schema.
 */
function replaceNullUnions<T>(schema: T, named: Readonly<Record<string, object>>, path: readonly string[]): T {
  if (Array.isArray(schema)) return schema.map((item: unknown) => replaceNullUnions(item, named, path)) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const member = findNullableMember(schema);
  if (member !== null) {
    const { anyOf: _, ...keywords } = schema as { readonly anyOf?: unknown };
    const id = /^([^#]+)#$/.exec(String(member['$ref'] ?? ''))?.[1] ?? null;
    const target = id === null ? member : named[id];
    if (target !== undefined && (id === null || !path.includes(id)) && typeof (target as Schema)['type'] === 'string') {
      const { $id: _id, ...copied } = target as Schema;
      return {
        ...replaceNullUnions(copied, named, id === null ? path : [...path, id]),
        ...keywords,
        nullable: true,
      } as T;
    }
  }
  return mapValues(schema as Schema, (value) => replaceNullUnions(value, named, path)) as T;
}

type Schema = Readonly<Record<string, unknown>>;

/** Returns the first member of a union with two members, of which the second is null. */
function findNullableMember(schema: object): Schema | null {
  const { anyOf } = schema as { readonly anyOf?: readonly Schema[] };
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return null;
  const [first, second] = anyOf as [Schema, Schema];
  return second['type'] === 'null' ? first : null;
}

function mapValues<T>(object: Readonly<Record<string, T>>, map: (value: T, name: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value, name)]));
}
