import AjvCompiler from '@fastify/ajv-compiler';
import { describe, expect, test } from 'vitest';
import { IGNORED_IN_UPDATES, namedSchemas } from './schemas.ts';
import { buildSerializer } from './serialization.ts';
import '../app.ts';

const schemas = Object.fromEntries(namedSchemas.map((schema) => [(schema as { $id: string }).$id, schema]));

describe('the schemas of the API', () => {
  test('are valid JSON Schema, and compile to validators and serializers', () => {
    expect(namedSchemas.length).toBeGreaterThan(50);
    const customOptions = { discriminator: true, validateSchema: true, keywords: [IGNORED_IN_UPDATES] };
    const compileValidator = AjvCompiler()(schemas, { customOptions });
    const compileSerializer = buildSerializer(schemas, {});
    for (const id of Object.keys(schemas)) {
      const schema = { $ref: `${id}#` };
      expect(compileValidator({ schema } as never), id).toBeTypeOf('function');
      // A serializer is compiled at its first call. The call itself may reject the value.
      try {
        compileSerializer({ method: 'GET', url: '/', httpStatus: '200', schema })({});
      } catch (error) {
        expect((error as Error).message, id).toMatch(/is required|does not match|Invalid/);
      }
    }
  });
});
