import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { buildMask } from './masking.ts';

const salt = Buffer.from('salt');
const hmac = (text: string) => createHmac('sha256', salt).update(text).digest('hex');
const mask = (rules: Parameters<typeof buildMask>[0], record: string) =>
  buildMask(rules, () => salt)?.(Buffer.from(record)).toString();

test('buildMask replaces dropped values with null, gives equal values equal hashes regardless of JSON escapes, and changes no other byte', () => {
  const rules = {
    email: { hash: true },
    phone: { drop: true },
    'custom_fields.cf_a': { hash: true },
    'requester.mail.home': { drop: true },
    name: { rename: 'n' },
  };
  expect(
    mask(
      rules,
      '{"id":1848295627395445811, "email":"a\\u0040b", "phone" : {"x":[1]},"custom_fields":{"cf_a":1.50,"cf_b":2},"requester":{"mail":{"home":"h"}},"name":"N"}',
    ),
  ).toBe(
    `{"id":1848295627395445811, "email":"${hmac('a@b')}", "phone" : null,"custom_fields":{"cf_a":"${hmac('1.50')}","cf_b":2},"requester":{"mail":{"home":null}},"name":"N"}`,
  );
  expect(mask(rules, '{"email":"a@b"}')).toBe(`{"email":"${hmac('a@b')}"}`);
});

test('a mask leaves null values and missing fields unchanged, and ignores a rule for a nested field whose parent is not an object', () => {
  expect(mask({ email: { hash: true }, 'a.b': { drop: true } }, '{"email":null,"a":5}')).toBe('{"email":null,"a":5}');
  expect(mask({ email: { drop: true } }, '{}')).toBe('{}');
});

test('buildMask returns null and requests no salt if no rule drops or hashes a field', () => {
  const getSalt = () => {
    throw new Error('The salt was requested.');
  };
  expect(buildMask({ a: { rename: 'b' }, c: { hash: false } }, getSalt)).toBeNull();
});

test('a mask handles field names that contain dots, and numbers that a double cannot represent', () => {
  const rules = { 'custom_fields.cf_a.b': { drop: true }, 'x.y': { hash: true }, n: { hash: true } } as const;
  expect(mask(rules, '{"custom_fields":{"cf_a.b":"secret","cf_a":{"b":"secret"}},"x.y":1,"x":{"y":1}}')).toBe(
    `{"custom_fields":{"cf_a.b":null,"cf_a":{"b":null}},"x.y":"${hmac('1')}","x":{"y":"${hmac('1')}"}}`,
  );
  expect(mask(rules, '{"n":9007199254740992}')).toBe(`{"n":"${hmac('9007199254740992')}"}`);
  expect(mask(rules, '{"n":9007199254740993}')).toBe(`{"n":"${hmac('9007199254740993')}"}`);
});
