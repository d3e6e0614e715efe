import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { maskOf } from './masking.ts';

const salt = Buffer.from('salt');
const hmac = (said: string) => createHmac('sha256', salt).update(said).digest('hex');
const masked = (rules: Parameters<typeof maskOf>[0], text: string) =>
  maskOf(rules, () => salt)?.(Buffer.from(text)).toString();

test('dropped values are null, hashed ones the same for the same value however it is spelt, and all else stays as it was sent', () => {
  const rules = {
    email: { hash: true },
    phone: { drop: true },
    'custom_fields.cf_a': { hash: true },
    'requester.mail.home': { drop: true },
    name: { rename: 'n' },
  };
  expect(
    masked(
      rules,
      '{"id":1848295627395445811, "email":"a\\u0040b", "phone" : {"x":[1]},"custom_fields":{"cf_a":1.50,"cf_b":2},"requester":{"mail":{"home":"h"}},"name":"N"}',
    ),
  ).toBe(
    `{"id":1848295627395445811, "email":"${hmac('a@b')}", "phone" : null,"custom_fields":{"cf_a":"${hmac('1.50')}","cf_b":2},"requester":{"mail":{"home":null}},"name":"N"}`,
  );
  expect(masked(rules, '{"email":"a@b"}')).toBe(`{"email":"${hmac('a@b')}"}`);
});

test('what is null stays null, what is not there is not made, and what is no object holds no fields', () => {
  expect(masked({ email: { hash: true }, 'a.b': { drop: true } }, '{"email":null,"a":5}')).toBe('{"email":null,"a":5}');
  expect(masked({ email: { drop: true } }, '{}')).toBe('{}');
});

test('without a rule that calls for it there is no mask, and no salt is asked for', () => {
  const none = () => {
    throw new Error('asked for');
  };
  expect(maskOf({ a: { rename: 'b' }, c: { hash: false } }, none)).toBeNull();
});

test('a rule applies to a field whose own name holds a dot, and a hash depends on every digit of a number', () => {
  const rules = { 'custom_fields.cf_a.b': { drop: true }, 'x.y': { hash: true }, n: { hash: true } } as const;
  expect(masked(rules, '{"custom_fields":{"cf_a.b":"secret","cf_a":{"b":"secret"}},"x.y":1,"x":{"y":1}}')).toBe(
    `{"custom_fields":{"cf_a.b":null,"cf_a":{"b":null}},"x.y":"${hmac('1')}","x":{"y":"${hmac('1')}"}}`,
  );
  expect(masked(rules, '{"n":9007199254740992}')).toBe(`{"n":"${hmac('9007199254740992')}"}`);
  expect(masked(rules, '{"n":9007199254740993}')).toBe(`{"n":"${hmac('9007199254740993')}"}`);
});
