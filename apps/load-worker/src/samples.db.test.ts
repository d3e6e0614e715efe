import { lookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@freshet/contracts';
import {
  catalogue,
  extract,
  FreshdeskClient,
  getObject,
  listCustomColumns,
  toTable,
} from '@freshet/freshdesk-extractor';
import { createDatabase, readFixture, type TestDatabase, toComparable } from '@freshet/testing';
import type { Warehouse } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLines, openWarehouse } from './test-support/warehouse.ts';

/** Objects whose sample file does not have the name of the object: object → file. */
const FILES: Readonly<Record<string, string>> = {
  ticket_statuses: 'ticket_fields',
  ticket_priorities: 'ticket_fields',
  ticket_sources: 'ticket_fields',
  settings: 'settings_helpdesk',
};

/**
 * The sample responses. Each has a file, an object, and a function that selects the records of the
 * response.
 */
const SAMPLES: readonly (readonly [file: string, object: string, selectRecords: (body: Json) => Json])[] = [
  ['agents', 'agents', (b) => b],
  ['agent_view', 'agents', (b) => [b]],
  ['business_hours', 'business_hours', (b) => b],
  ['companies', 'companies', (b) => b],
  ['contacts', 'contacts', (b) => b],
  ['contact_view', 'contacts', (b) => [b]],
  ['contacts_deleted', 'contacts', (b) => b],
  ['conversations', 'conversations', (b) => b],
  ['discussion_categories', 'discussion_categories', (b) => b],
  ['discussion_comments', 'discussion_comments', (b) => b],
  ['discussion_forums', 'discussion_forums', (b) => b],
  ['discussion_topics', 'discussion_topics', (b) => b],
  ['email_configs', 'email_configs', (b) => b],
  ['groups', 'groups', (b) => b],
  ['group_view', 'groups', (b) => [b]],
  ['products', 'products', (b) => b],
  ['roles', 'roles', (b) => b],
  ['satisfaction_ratings', 'satisfaction_ratings', (b) => b],
  ['surveys', 'surveys', (b) => b],
  ['tickets', 'tickets', (b) => b],
  ['tickets_include', 'tickets', (b) => b],
  ['ticket_view', 'tickets', (b) => [b]],
  ['ticket_deleted', 'tickets', (b) => b],
  ['ticket_spam', 'tickets', (b) => b],
  ['ticket_archived', 'tickets', (b) => [b]],
  ['tickets_search', 'tickets', (b) => (b as JsonObject)['results'] as Json],
  ['time_entries', 'time_entries', (b) => b],
  ['ticket_fields', 'ticket_fields', (b) => b],
  ['contact_fields', 'contact_fields', (b) => b],
  ['company_fields', 'company_fields', (b) => b],
  ['sla_policies', 'sla_policies', (b) => b],
  ['email_mailboxes', 'email_mailboxes', (b) => b],
  ['skills', 'skills', (b) => b],
  ['scenario_automations', 'scenario_automations', (b) => b],
  ['ticket_forms', 'ticket_forms', (b) => b],
  ['solution_categories', 'solution_categories', (b) => b],
  ['solution_folders', 'solution_folders', (b) => b],
  ['solution_subfolders', 'solution_folders', (b) => b],
  ['solution_articles', 'solution_articles', (b) => b],
  ['canned_response_folders', 'canned_response_folders', (b) => b],
  ['canned_responses', 'canned_responses', (b) => b],
  ...[
    'automation_rules',
    'custom_object_records',
    'custom_object_schemas',
    'ticket_statuses',
    'ticket_priorities',
    'ticket_sources',
    'settings',
  ].map((name): (typeof SAMPLES)[number] => [
    FILES[name] ?? name,
    name,
    (b) => getObject(name).parseRecords?.(b) ?? [],
  ]),
];

/** The sample responses of field definitions: path of the request → file. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  '/api/v2/ticket_fields': 'ticket_fields',
  '/api/v2/contact_fields': 'contact_fields',
  '/api/v2/company_fields': 'company_fields',
};

/** The object whose sample is an exported file. */
const EXPORT = getObject('ticket_activities');

let database: TestDatabase;
let warehouse: Warehouse;
let server: Server;
let origin: string;
let client: FreshdeskClient;
/** The body of the server's response to a request for a list. */
let listBody = '[]';

beforeAll(async () => {
  database = await createDatabase();
  warehouse = openWarehouse(database.url);
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://samples');
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'x-freshdesk-api-version': 'latest=v2; requested=v2',
    });
    response.end(buildBody(url));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new FreshdeskClient({
    account: { subdomain: 'northlamp', origin },
    apiKey: 'k',
    budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
    creditClass: 'incremental',
    outboundPolicy: { check: () => {}, lookup },
    now: () => Date.parse('2022-01-02T12:00:00Z'),
  });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
  await warehouse.close();
  await database[Symbol.asyncDispose]();
});

function buildBody({ pathname, searchParams }: URL): string {
  if (searchParams.has('next_token')) return '{"records":[]}';
  if (pathname === EXPORT.path)
    return searchParams.get('created_at') === '2022-01-01'
      ? `{"export":{"url":"${origin}/file.json"}}`
      : '{"export":{}}';
  if (pathname === '/file.json') return readFixture(EXPORT.name);
  const definitions = DEFINITIONS[pathname];
  if (definitions !== undefined) return readFixture(definitions);
  // Requests with a filter or a state return an empty list. So do requests for changes since a time
  // in the future.
  const isEmpty =
    searchParams.has('filter') ||
    searchParams.has('state') ||
    [...searchParams.values()].some((v) => v.startsWith('2100'));
  return isEmpty ? '[]' : selectChangedSince(searchParams.get('updated_since'));
}

function selectChangedSince(since: string | null): string {
  if (since === null) return listBody;
  const records = parseJson(listBody) as JsonObject[];
  return JSON.stringify(records.filter((r) => Date.parse(String(r['updated_at'])) >= Date.parse(since)));
}

/** Extracts all records of an object. @returns the record lines of the batches. */
async function extractRecordLines(object: ReturnType<typeof getObject>, parentId: string): Promise<readonly string[]> {
  const parents = object.strategy.kind === 'children' ? [{ object: object.name, parentId, version: 'v' }] : [];
  const lines: string[] = [];
  for await (const page of extract(client, object, null, {
    historyFrom: null,
    readingId: 'r',
    fetchUnits: async () => parents.splice(0),
  }))
    lines.push(...page.lines.map((line) => Buffer.concat(line).toString()));
  return lines.filter((line) => line.includes('"record"'));
}

/**
 * Reads the column types of all tables in a schema.
 * @returns column → type, as `toComparable` expects.
 */
async function readColumnTypes(schema: string): Promise<ReadonlyMap<string, string>> {
  const columns =
    await database.sql`select column_name as name, data_type as type from information_schema.columns where table_schema = ${schema}`;
  return new Map(
    columns.map(({ name, type }) => [
      name as string,
      type === 'timestamp with time zone' ? 'timestamptz' : (type as string),
    ]),
  );
}

describe('sample responses of a Freshdesk account', () => {
  test('exist for every object of the catalogue', () => {
    const sampled = [...SAMPLES.map(([, object]) => object), EXPORT.name];
    expect([...new Set(sampled)].sort()).toEqual(catalogue.map((o) => o.name).sort());
  });

  test.each(SAMPLES)('are loaded with all values unchanged: %s (I10)', async (file, objectName, selectRecords) => {
    const object = getObject(objectName);
    const records = selectRecords(parseJson(readFixture(file))) as JsonObject[];
    // Sort the records in the order in which the extractor requests them.
    const sorted = [...records].sort(
      (a, b) => Date.parse(String(a['updated_at'])) - Date.parse(String(b['updated_at'])),
    );
    listBody = object.parseRecords !== null ? readFixture(file) : JSON.stringify(sorted);
    const parentId =
      object.strategy.kind === 'children' ? String(records[0]?.[object.strategy.parentColumn] ?? 84170000001) : '';
    const table = toTable(object, await listCustomColumns(client, object));
    const lines = await extractRecordLines(object, parentId);
    const schema = `sample_${file}`;
    const result = await loadLines(warehouse, { schema, table, lines });
    expect(result.rejectedRecords).toEqual([]);

    const rows = await database.sql.unsafe<{ row: string }[]>(
      `select to_jsonb(t)::text as row from ${schema}.${objectName} t`,
    );
    expect(rows).toHaveLength(records.length);
    const types = await readColumnTypes(schema);
    const getType = (column: string) => types.get(column) as string;
    for (const record of records) {
      const row = rows
        .map((r) => parseJson(r.row) as JsonObject)
        // Lists of children may omit the key of the parent. The extractor adds this key.
        .find((r) =>
          object.primaryKey.every((k) => !(k in record) || String(r[k]) === String(record[k])),
        ) as JsonObject;
      // A field that is always null needs no column.
      for (const [field, value] of Object.entries(record)) {
        if (value === null && !types.has(field)) continue;
        expect(toComparable(row[field], getType(field)), field).toBe(toComparable(value, getType(field)));
      }
      const customFields = record['custom_fields'];
      for (const [field, value] of Object.entries(isJsonObject(customFields) ? customFields : {})) {
        const column = field.startsWith('cf_') ? field : `cf_${field}`;
        expect(toComparable(row[column], getType(column)), column).toBe(toComparable(value, getType(column)));
      }
      expect(row['_freshet_notes']).toBeNull();
    }
  });

  test('are loaded with all values unchanged: an exported file (I10)', async () => {
    const lines = await extractRecordLines(EXPORT, '');
    const schema = 'sample_export';
    const load = () => loadLines(warehouse, { schema, table: toTable(EXPORT), lines });
    await load();
    const again = await load();
    expect(again.batches.map(({ counts }) => counts)).toMatchObject([{ records: 6, inserted: 0, unchanged: 6 }]);
    const rows = await database.sql.unsafe(
      `select day::text, ticket_id::text, performed_at, position::int, performer_type, performer_id::text, activity::text, status,
         priority, "group", agent, _freshet_notes is null and _freshet_extra is null as is_complete
       from ${schema}.${EXPORT.name} order by performed_at, activity::text desc, id`,
    );
    const base = {
      day: '2022-01-01',
      ticket_id: '600',
      position: 1,
      performer_type: 'user',
      performer_id: '84170000007',
    };
    const unchanged = { status: null, priority: null, group: null, agent: null, is_complete: true };
    const custom = { ...base, ...unchanged, performed_at: new Date('2022-01-01T10:02:00Z') };
    const customActivity = '{"score": 1.50, "amount": 9007199254740993, "Product line": "9007199254740993"}';
    expect([...rows]).toEqual([
      {
        ...base,
        ...unchanged,
        performer_id: '84170014901',
        performed_at: new Date('2022-01-01T09:33:38Z'),
        activity: expect.stringContaining('"new_ticket": true'),
        status: 'Open',
        priority: '1',
        group: 'Réclamations',
      },
      {
        ...base,
        ...unchanged,
        performed_at: new Date('2022-01-01T09:33:39Z'),
        performer_type: 'system',
        performer_id: null,
        activity: expect.stringContaining('Urgent 🔥'),
        priority: '4',
      },
      { ...custom, position: 2, activity: customActivity },
      { ...custom, position: 3, activity: customActivity },
      { ...custom, activity: expect.stringContaining('"note"'), status: '6', agent: '84170000007' },
      {
        ...base,
        ...unchanged,
        ticket_id: '601',
        performed_at: new Date('2022-01-01T23:59:59Z'),
        activity: '{"spam": true}',
      },
    ]);
    const indexes = await database.sql`
      select indexdef from pg_indexes where schemaname = ${schema} and indexdef like '%ticket_id%'`;
    expect(indexes).toHaveLength(1);
  });
});
