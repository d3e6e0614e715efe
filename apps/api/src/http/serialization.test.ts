import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { nullable } from './schemas.ts';
import { buildSerializer } from './serialization.ts';

const schemas = {
  Failure: { ...Type.Object({ message: Type.String() }), $id: 'Failure' },
  Node: { ...Type.Object({ name: nullable(Type.String()), next: nullable(Type.Ref('Node#')) }), $id: 'Node' },
};

function serialize(schema: object, value: unknown): unknown {
  const compile = buildSerializer(schemas, {});
  return JSON.parse(compile({ method: 'GET', url: '/', httpStatus: '200', schema })(value));
}

test.each([null, 'text'])('serializes a value or null: %j', (value) => {
  expect(serialize(Type.Object({ value: nullable(Type.String()) }), { value })).toEqual({ value });
});

test.each([null, { items: [null, { message: 'm' }] }])(
  'serializes a nullable object with nullable references, and omits unknown properties: %j',
  (value) => {
    const schema = Type.Object({
      value: nullable(Type.Object({ items: Type.Array(nullable(Type.Ref('Failure#'))) })),
    });
    const hidden = value === null ? null : { items: [null, { message: 'm', secret: 's' }], secret: 's' };
    expect(serialize(schema, { value: hidden })).toEqual({ value });
  },
);

test('serializes a named schema that contains itself', () => {
  const value = { name: 'a', next: { name: null, next: { name: 'c', next: null } } };
  expect(serialize({ $ref: 'Node#' }, value)).toEqual(value);
});
