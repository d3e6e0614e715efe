import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getColumnName, parseJson } from '@freshet/contracts';
import { expect, test } from 'vitest';
import { catalogue, getObject, listChildren, listObjectsToAudit } from './index.ts';
import { parseChoiceLabels } from './labels.ts';
import { toTable } from './tables.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

test('a new pipeline includes the documented default objects', () => {
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
    'settings',
    'sla_policies',
    'surveys',
    'ticket_fields',
    'ticket_priorities',
    'ticket_sources',
    'ticket_statuses',
    'tickets',
    'time_entries',
  ]);
});

test.each(catalogue)('the catalogue entry of $name is consistent', (object) => {
  const names = new Set(object.columns.map((c) => c.name));
  expect(names.size).toBe(object.columns.length);
  for (const key of object.primaryKey) expect(names).toContain(key);
  for (const column of object.columns) {
    expect(column.name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(column.description, column.name).toMatch(/[.…]$/);
    if (column.references !== null) expect(getObject(column.references).primaryKey).toHaveLength(1);
    // A nested field belongs to a documented object that is not the object of the custom fields.
    if (column.path !== undefined) {
      expect(column.path).toHaveLength(2);
      expect(object.columns.find(({ name }) => name === column.path?.[0])).toMatchObject({ type: 'jsonb' });
      expect(column.path[0]).not.toBe(object.customFields?.field);
    }
  }
  // Only a column that references an object can identify the owner of a record.
  for (const { isOwner, references } of object.columns) if (isOwner) expect(references).not.toBeNull();
  const { strategy } = object;
  if (strategy.kind === 'keyset' || strategy.kind === 'changed-since') expect(names).toContain(strategy.cursorColumn);
  if (strategy.kind === 'children') {
    expect(names).toContain(strategy.parentColumn);
    expect(listChildren(strategy.parent)).toContain(object);
    for (const field of strategy.versionFields)
      expect(getObject(strategy.parent).columns.map((c) => c.name)).toContain(field);
    expect(object.path).toContain('{id}');
  }
  if (strategy.kind === 'daily-export') {
    const { dayColumn, positionColumn, lookupColumn, timeField, identityFields } = strategy;
    for (const column of [dayColumn, positionColumn, lookupColumn, timeField, ...identityFields])
      expect(names).toContain(column);
    expect(listObjectsToAudit({ [object.name]: { included: true } }).map(({ name }) => name)).not.toContain(
      object.name,
    );
  }
  expect(toTable(object).primaryKey).toEqual(object.primaryKey);
});

test('no file outside the catalogue contains the name of an object', () => {
  // `settings` is also an ordinary word.
  const names = catalogue.flatMap(({ name }) => (name === 'settings' ? [] : [name])).join('|');
  const literal = new RegExp(`['"\`](?:${names})['"\`]`);
  const matches: string[] = [];
  for (const folder of ['apps', 'packages']) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const isSource =
        file.endsWith('.ts') &&
        file.includes('/src/') &&
        !/node_modules|\.test\.ts|catalogue\/|\/test-support\//.test(file) &&
        // The simulated life cycles and the models are about tickets and the records of tickets.
        !/^(?:freshdesk-simulator\/src\/lifecycle|analytics\/src)\//.test(file) &&
        // Generated from the OpenAPI document, whose examples come from the catalogue.
        file !== 'client/src/api.ts';
      if (isSource && literal.test(readFileSync(join(ROOT, folder, file), 'utf8'))) matches.push(`${folder}/${file}`);
    }
  }
  expect(matches).toEqual([]);
});

test('parseRecords returns the labels of default ticket fields for each JSON format of `choices`', () => {
  const fields = [
    { type: 'default_status', choices: { 2: ['Open', 'Being Processed'], 7: ['Waiting', null] } },
    { type: 'default_priority', choices: { Low: 1, Urgent: 4 } },
    { type: 'custom_dropdown', choices: ['a'] },
  ];
  const parseRecords = (name: string) => getObject(name).parseRecords?.(fields);
  expect(parseRecords('ticket_statuses')).toEqual([
    { id: 2, label: 'Open', label_for_customers: 'Being Processed' },
    { id: 7, label: 'Waiting', label_for_customers: null },
  ]);
  expect(parseRecords('ticket_priorities')).toEqual([
    { id: 1, label: 'Low' },
    { id: 4, label: 'Urgent' },
  ]);
  expect(parseRecords('ticket_sources')).toEqual([]);
});

test('automation rules contain no secrets at any depth (I6)', () => {
  const actions = [
    {
      field_name: 'trigger_webhook',
      url: 'https://x.example',
      api_key: 'S1',
      custom_headers: { Authorization: 'S2' },
      content: [{ password: 'S3' }],
    },
  ];
  const rows = getObject('automation_rules').parseRecords?.({ rules: [{ id: 1, actions }], meta: {} });
  expect(rows).toEqual([
    { id: 1, actions: [{ field_name: 'trigger_webhook', url: 'https://x.example', content: [{}] }] },
  ]);
});

test('names of documented columns and tables follow the naming rule, even with the longest table prefix and in history tables', () => {
  const PREFIX_BYTES_MAX = 20;
  for (const object of catalogue) {
    for (const column of object.columns)
      expect(getColumnName(column.name), `${object.name}.${column.name}`).toBe(column.name);
    expect(PREFIX_BYTES_MAX + `${object.name}_history`.length, object.name).toBeLessThanOrEqual(63);
  }
});

test('parseChoiceLabels keeps every digit of large integers (I10)', () => {
  const fields = parseJson(
    '[{"type":"default_status","choices":{"9007199254740993":["Open","Open"],"2":["Pending","Waiting"],"odd":["Odd","Odd"]}}]',
  );
  expect(JSON.stringify(parseChoiceLabels(fields, 'default_status').map(({ id }) => id))).toBe(
    '[2,9007199254740993,"odd"]',
  );
});

test('toTable applies the naming rule to custom columns that an earlier release stored, and marks columns with a documented type', () => {
  const stored = {
    name: 'cf_Größe',
    type: 'text' as const,
    description: 'Größe.',
    path: ['custom_fields', 'cf_Größe'],
  };
  const { columns } = toTable(getObject('tickets'), [stored], {
    requester_id: { hash: true },
    constructor: { rename: 'x' },
  });
  expect(columns.find((c) => c.path?.[1] === 'cf_Größe')).toMatchObject({
    name: expect.stringMatching(/^cf_gr_e_[0-9a-f]{8}$/),
  });
  expect(columns.find((c) => c.name === 'due_by')).toMatchObject({ type: 'timestamptz', documented: true });
  expect(columns.find((c) => c.name === 'requester_id')).toEqual({
    name: 'requester_id',
    type: 'text',
    description: expect.any(String),
    path: ['requester_id'],
  });
});

test('toTable gives the fields of a nested documented object columns, which follow the rules of the object', () => {
  const tickets = getObject('tickets');
  const findColumn = (rules: Parameters<typeof toTable>[2], field = 'closed_at') =>
    toTable(tickets, [], rules).columns.find(({ path }) => path?.join('.') === `stats.${field}`);
  expect(findColumn({})).toEqual({
    name: 'stats_closed_at',
    type: 'timestamptz',
    description: expect.stringMatching(/From `stats`\.$/),
    documented: true,
    path: ['stats', 'closed_at'],
  });
  expect(findColumn({ stats: { drop: true } })).toMatchObject({ dropped: true });
  expect(findColumn({ stats: { hash: true } })).toMatchObject({ dropped: true });
  expect(findColumn({ stats: { rename: 'times' } })).not.toHaveProperty('dropped');
  expect(findColumn({ 'stats.closed_at': { hash: true, rename: 'closed' } })).toMatchObject({
    name: 'closed',
    type: 'text',
  });
  expect(findColumn({ 'stats.closed_at': { drop: true } }, 'resolved_at')).not.toHaveProperty('dropped');
});
