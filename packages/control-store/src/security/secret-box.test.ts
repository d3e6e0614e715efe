import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SecretBox } from './secret-box.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe('SecretBox', () => {
  test('decrypts a secret only with the associated data under which it was sealed (I6)', () => {
    const box = new SecretBox(key('a'));
    const sealed = box.seal('hunter2 🔑', 'credentials/1/secret');
    expect(sealed).not.toContain('hunter2');
    expect(box.open(sealed, 'credentials/1/secret')).toBe('hunter2 🔑');
    expect(() => box.open(sealed, 'credentials/2/secret')).toThrow(/cannot be decrypted/);
  });

  test('rejects a ciphertext in which any byte was changed', () => {
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

  test('produces a different ciphertext each time (I6)', () => {
    const box = new SecretBox(key('a'));
    expect(box.seal('secret', 'x')).not.toBe(box.seal('secret', 'x'));
  });

  test('decrypts with earlier keys, and re-encrypts secrets with the newest key, so that earlier keys are no longer needed (I6)', () => {
    const [oldKey, newKey] = [key('old'), key('new')];
    const sealed = new SecretBox(oldKey).seal('secret', 'x');
    const both = new SecretBox(`${newKey}, ${oldKey}`);
    expect(both.open(sealed, 'x')).toBe('secret');
    const rewrapped = both.rewrap(sealed, 'x') as string;
    expect(both.rewrap(rewrapped, 'x')).toBeNull();
    expect(new SecretBox(newKey).open(rewrapped, 'x')).toBe('secret');
    expect(() => new SecretBox(newKey).open(sealed, 'x')).toThrow(/requires the key "old"/);
  });

  test('reports the position of a malformed key, never its bytes (I6)', () => {
    const malformed = 'k2:dG9vIHNob3J0';
    expect(() => new SecretBox(`${key('k1')},${malformed}`)).toThrow(/entry 2 must be/);
    expect(() => new SecretBox(malformed)).not.toThrow(/dG9vIHNob3J0/);
  });
});
