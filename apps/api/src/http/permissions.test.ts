import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PERMISSION_NAMES, ROLES } from './permissions.ts';

test('the documentation says of every role and permission what the code does', () => {
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

test.each(Object.entries(ROLES))('%s', (role, permissions) => {
  const text = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8');
  const column = (/^\| permission \|(.*)\|$/m.exec(text)?.[1] ?? '')
    .split('|')
    .map((c) => c.trim())
    .indexOf(role);
  const said = [...text.matchAll(/^\| `(\w+)`: [^|]*\|(.*)\|$/gm)]
    .filter(([, , cells]) => (cells as string).split('|')[column]?.trim() === 'yes')
    .map(([, permission]) => permission);
  expect(said.sort()).toEqual([...permissions].sort());
});
