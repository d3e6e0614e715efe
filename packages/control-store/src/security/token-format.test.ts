import { expect, test } from 'vitest';
import { generateToken, isTokenFormat } from './token-format.ts';

test('tokens have a prefix and a checksum, and are unique', () => {
  const tokens = Array.from({ length: 200 }, () => generateToken());
  expect(new Set(tokens).size).toBe(200);
  for (const token of tokens) {
    expect(token).toMatch(/^frt_[0-9A-Za-z]{36}$/);
    expect(isTokenFormat(token)).toBe(true);
    const typo = token.slice(0, 10) + (token[10] === 'a' ? 'b' : 'a') + token.slice(11);
    expect(isTokenFormat(typo)).toBe(false);
  }
});

test('the prefix distinguishes tokens, sessions and sign-in codes', () => {
  const code = generateToken('frc_');
  expect(code).toMatch(/^frc_[0-9A-Za-z]{36}$/);
  expect(isTokenFormat(code, 'frc_')).toBe(true);
  expect(isTokenFormat(code)).toBe(false);
});
