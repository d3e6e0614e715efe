import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PERMISSION_NAMES, ROLES } from './permissions.ts';

test('docs/security.md lists all roles and permissions', () => {
  const text = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)`: [^|]*\|(.*)\|$/gm)].map(
    ([, permission, cells]) => [permission, (cells as string).split('|').map((c) => c.trim())] as const,
  );
  const roles = (/^\| permission \|(.*)\|$/m.exec(text)?.[1] ?? '')
    .split('|')
    .map((c) => c.trim()) as (keyof typeof ROLES)[];
  expect(roles.sort()).toEqual(Object.keys(ROLES).sort());
  expect(rows.map(([permission]) => permission).sort()).toEqual([...PERMISSION_NAMES].sort());
});

test.each(Object.entries(ROLES))('docs/security.md lists the permissions of the role %s', (role, permissions) => {
  const text = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8');
  const column = (/^\| permission \|(.*)\|$/m.exec(text)?.[1] ?? '')
    .split('|')
    .map((c) => c.trim())
    .indexOf(role);
  const documented = [...text.matchAll(/^\| `(\w+)`: [^|]*\|(.*)\|$/gm)]
    .filter(([, , cells]) => (cells as string).split('|')[column]?.trim() === 'yes')
    .map(([, permission]) => permission);
  expect(documented.sort()).toEqual([...permissions].sort());
});
