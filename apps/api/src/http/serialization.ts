import SerializerSelector, { type Serializer, type SerializerFactory } from '@fastify/fast-json-stringify-compiler';

/**
 * Compiles the serializers of responses. A serializer is compiled when the first response needs it,
 * and with only the schemas that it refers to. Compiling all serializers at the start, each with
 * all schemas, would take most of the time that the API needs to start.
 */
export const buildSerializer: SerializerFactory = (schemas, options) => {
  const named = schemas as Readonly<Record<string, object>>;
  const compile = SerializerSelector();
  return (route) => {
    let serialize: Serializer | null = null;
    return (response) => {
      serialize ??= compile(pickReferenced(named, route.schema), options)(route);
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
