import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SecretBox } from './secret-box.ts';
import { generateToken, isTokenFormat } from './token-format.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe('I6: secrets stay secret', () => {
  test('a sealed secret opens where it was bound to, and nowhere else', () => {
    const box = new SecretBox(key('a'));
    const sealed = box.seal('hunter2 🔑', 'credentials/1/secret');
    expect(sealed).not.toContain('hunter2');
    expect(box.open(sealed, 'credentials/1/secret')).toBe('hunter2 🔑');
    expect(() => box.open(sealed, 'credentials/2/secret')).toThrow(/cannot be decrypted/);
  });

  test('a changed byte anywhere is noticed', () => {
    const box = new SecretBox(key('a'));
    const sealed = box.seal('secret', 'x');
    const parts = sealed.split('.');
    for (const [i, part] of parts.entries()) {
      if (i < 2) continue;
      const bytes = Buffer.from(part, 'base64url');
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        const broken = parts.with(i, changed.toString('base64url')).join('.');
        expect(() => box.open(broken, 'x')).toThrow(/cannot be decrypted/);
      }
    }
  });

  test('the same secret is sealed otherwise each time', () => {
    const box = new SecretBox(key('a'));
    expect(box.seal('secret', 'x')).not.toBe(box.seal('secret', 'x'));
  });

  test('keys rotate: old ones open, the newest seals, rewrapping makes the old one unnecessary', () => {
    const [old, young] = [key('old'), key('young')];
    const sealed = new SecretBox(old).seal('secret', 'x');
    const both = new SecretBox(`${young}, ${old}`);
    expect(both.open(sealed, 'x')).toBe('secret');
    const rewrapped = both.rewrap(sealed, 'x') as string;
    expect(both.rewrap(rewrapped, 'x')).toBeNull();
    expect(new SecretBox(young).open(rewrapped, 'x')).toBe('secret');
    expect(() => new SecretBox(young).open(sealed, 'x')).toThrow(/requires the key "old"/);
  });

  test('a malformed key is named by its place, never by its bytes', () => {
    const malformed = 'k2:dG9vIHNob3J0';
    expect(() => new SecretBox(`${key('k1')},${malformed}`)).toThrow(/entry 2 must be/);
    expect(() => new SecretBox(malformed)).not.toThrow(/dG9vIHNob3J0/);
  });
});

test('tokens carry a prefix and a checksum, and no two are alike', () => {
  const tokens = Array.from({ length: 200 }, generateToken);
  expect(new Set(tokens).size).toBe(200);
  for (const token of tokens) {
    expect(token).toMatch(/^frt_[0-9A-Za-z]{36}$/);
    expect(isTokenFormat(token)).toBe(true);
    const typo = token.slice(0, 10) + (token[10] === 'a' ? 'b' : 'a') + token.slice(11);
    expect(isTokenFormat(typo)).toBe(false);
  }
});
