import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tableOf } from './catalogue/define.ts';
import { catalogue, childrenOf, objectNamed } from './catalogue/index.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test('every pipeline has by default the 17 tables of the 14 objects, and those beyond them that cost a credit each', () => {
  expect(catalogue.filter((o) => o.includedByDefault).map((o) => o.name)).toEqual([
    'agents',
    'business_hours',
    'companies',
    'company_fields',
    'contact_fields',
    'contacts',
    'conversations',
    'discussion_categories',
    'discussion_comments',
    'discussion_forums',
    'discussion_topics',
    'email_configs',
    'email_mailboxes',
    'groups',
    'products',
    'roles',
    'satisfaction_ratings',
    'sla_policies',
    'surveys',
    'ticket_fields',
    'tickets',
    'time_entries',
  ]);
});

test.each(catalogue)('$name is declared consistently', (object) => {
  const names = new Set(object.columns.map((c) => c.name));
  expect(names.size).toBe(object.columns.length);
  for (const key of object.primaryKey) expect(names).toContain(key);
  for (const column of object.columns) {
    expect(column.name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(column.description, column.name).toMatch(/[.…]$/);
    if (column.references !== null) expect(objectNamed(column.references).primaryKey).toHaveLength(1);
  }
  const { way } = object;
  if (way.kind === 'keyset' || way.kind === 'since') expect(names).toContain(way.column);
  if (way.kind === 'children') {
    expect(names).toContain(way.column);
    expect(childrenOf(way.parent)).toContain(object);
    for (const field of way.versionFields) expect(objectNamed(way.parent).columns.map((c) => c.name)).toContain(field);
    expect(object.path).toContain('{id}');
  }
  expect(tableOf(object).primaryKey).toEqual(object.primaryKey);
});

test('no file outside the catalogue’s folder names an object', () => {
  const names = catalogue.map((o) => o.name).join('|');
  const literal = new RegExp(`['"\`](?:${names})['"\`]`);
  const found: string[] = [];
  for (const folder of ['apps', 'packages']) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const usual = file.endsWith('.ts') && file.includes('/src/') && !/node_modules|\.test\.ts|catalogue\/|\/test-support\//.test(file);
      if (usual && literal.test(readFileSync(join(ROOT, folder, file), 'utf8'))) found.push(`${folder}/${file}`);
    }
  }
  expect(found).toEqual([]);
});
