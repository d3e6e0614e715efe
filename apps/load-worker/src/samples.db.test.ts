import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zstdCompressSync } from 'node:zlib';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@freshet/contracts';
import {
  catalogue,
  customColumnsOf,
  extract,
  FreshdeskClient,
  objectNamed,
  tableOf,
} from '@freshet/freshdesk-extractor';
import { comparable, createDatabase, fixture, type TestDatabase } from '@freshet/testing';
import { prepare, Warehouse } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Objects whose answers are no lists of their own. */
const FILES: Readonly<Record<string, string>> = {
  ticket_statuses: 'ticket_fields',
  ticket_priorities: 'ticket_fields',
  ticket_sources: 'ticket_fields',
  settings: 'settings_helpdesk',
};

/** File → the object whose records it holds, and where they stand in it. */
const SAMPLES: readonly (readonly [file: string, object: string, records: (body: Json) => Json])[] = [
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
  ].map((name): (typeof SAMPLES)[number] => [FILES[name] ?? name, name, (b) => objectNamed(name).rows?.(b) ?? []]),
];

/** Paths of field definitions → their samples. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  '/api/v2/ticket_fields': 'ticket_fields',
  '/api/v2/contact_fields': 'contact_fields',
  '/api/v2/company_fields': 'company_fields',
};

let database: TestDatabase;
let warehouse: Warehouse;
let server: Server;
let client: FreshdeskClient;
let answerText = '[]';

beforeAll(async () => {
  database = await createDatabase();
  const { hostname, port, username, password } = new URL(database.url);
  warehouse = new Warehouse({
    host: hostname,
    port: Number(port),
    database: database.name,
    username,
    password,
    sslMode: 'disable',
  });
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://samples');
    const definitions = DEFINITIONS[url.pathname];
    // Lists of other views, and filters that ask for the future, hold nothing.
    const empty =
      url.searchParams.has('filter') ||
      url.searchParams.has('state') ||
      [...url.searchParams.values()].some((v) => v.startsWith('2100'));
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'x-freshdesk-api-version': 'latest=v2; requested=v2',
    });
    response.end(
      url.searchParams.has('next_token')
        ? '{"records":[]}'
        : definitions
          ? fixture(definitions)
          : empty
            ? '[]'
            : changedSince(url.searchParams.get('updated_since')),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new FreshdeskClient({
    account: { subdomain: 'northlamp', origin },
    apiKey: 'k',
    budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
    creditClass: 'incremental',
  });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
  await warehouse.close();
  await database[Symbol.asyncDispose]();
});

/** The records that have changed since then. */
function changedSince(since: string | null): string {
  if (since === null) return answerText;
  const records = parseJson(answerText) as JsonObject[];
  return JSON.stringify(records.filter((r) => Date.parse(String(r['updated_at'])) >= Date.parse(since)));
}

describe('a real account’s answers land', () => {
  test('every table has a sample', () => {
    expect([...new Set(SAMPLES.map(([, object]) => object))].sort()).toEqual(catalogue.map((o) => o.name).sort());
  });

  test.each(SAMPLES)('%s', async (file, objectName, recordsOf) => {
    const object = objectNamed(objectName);
    const records = recordsOf(parseJson(fixture(file))) as JsonObject[];
    // In the order that the list is asked for.
    answerText =
      object.rows !== null
        ? fixture(file)
        : JSON.stringify(
            [...records].sort((a, b) => Date.parse(String(a['updated_at'])) - Date.parse(String(b['updated_at']))),
          );
    const parents =
      object.way.kind === 'children'
        ? [{ object: objectName, parentId: String(records[0]?.[object.way.column] ?? 84170000001), version: 'v' }]
        : [];
    const columns = await customColumnsOf(client, object);
    const lines: string[] = [];
    for await (const page of extract(client, object, null, {
      historyFrom: null,
      readingId: 'r',
      nextParents: async () => parents.splice(0),
    }))
      lines.push(...page.lines.map((line) => Buffer.concat(line).toString()));
    const schema = `sample_${file}`;
    const raw = Buffer.from(lines.filter((l) => l.includes('"record"')).join('\n'));
    const batch = {
      id: randomUUID(),
      extractedAt: new Date(),
      audit: false,
      rewrite: false,
      body: zstdCompressSync(raw),
      rawBytes: raw.length,
    };
    const result = await warehouse.load({
      schema,
      tablePrefix: '',
      table: tableOf(object, columns),
      below: [],
      epoch: 1,
      policy: 'evolve',
      history: false,
      restartedAt: null,
      prepared: await prepare([batch], tableOf(object, columns)),
      generation: async function* () {},
    });
    expect(result.rejected).toEqual([]);

    const rows = await database.sql.unsafe<{ row: string }[]>(
      `select to_jsonb(t)::text as row from ${schema}.${objectName} t`,
    );
    expect(rows).toHaveLength(records.length);
    const types = new Map(
      (
        await database.sql`select column_name as name, data_type as type from information_schema.columns where table_schema = ${schema}`
      ).map((r) => [r['name'] as string, r['type'] as string]),
    );
    const typeOf = (column: string) =>
      types.get(column) === 'timestamp with time zone' ? 'timestamptz' : (types.get(column) as string);
    for (const record of records) {
      const row = rows
        .map((r) => parseJson(r.row) as JsonObject)
        // Its parent's key is added where the list leaves it out.
        .find((r) =>
          object.primaryKey.every((k) => !(k in record) || String(r[k]) === String(record[k])),
        ) as JsonObject;
      // Every field stands in a column of its name, as it was; only fields that are null everywhere need none.
      for (const [field, value] of Object.entries(record)) {
        if (value === null && !types.has(field)) continue;
        expect(comparable(row[field], typeOf(field)), field).toBe(comparable(value, typeOf(field)));
      }
      const custom = record['custom_fields'];
      for (const [field, value] of Object.entries(isJsonObject(custom) ? custom : {})) {
        const column = field.startsWith('cf_') ? field : `cf_${field}`;
        expect(comparable(row[column], typeOf(column)), column).toBe(comparable(value, typeOf(column)));
      }
      expect(row['_freshet_notes']).toBeNull();
    }
  });
});
