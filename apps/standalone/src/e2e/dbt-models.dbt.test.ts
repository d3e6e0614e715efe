import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type AnalyticsTarget,
  getAnalyticsSchema,
  listModels,
  refreshAnalytics,
  removeChangeTracking,
} from '@freshet/analytics';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Runs the dbt package on a synced warehouse, and compares its models with those of Freshet. The
 * package is a dependency of a project, as users install it.
 */

const PACKAGE = fileURLToPath(new URL('../../../../integrations/dbt/', import.meta.url));
/** The schema of the models of dbt: the target schema, and the suffix in dbt_project.yml. */
const DBT_SCHEMA = 'dbt_freshdesk';
const PREFIX = 'x_';
/** The tables that are renamed, so that all other tables are missing. */
const RENAMED_TABLES = ['tickets', 'agents', 'contacts'];

const PROFILES = `
freshet:
  target: test
  outputs:
    test:
      type: postgres
      host: "{{ env_var('PGHOST') }}"
      port: "{{ env_var('PGPORT') | int }}"
      user: "{{ env_var('PGUSER') }}"
      password: "{{ env_var('PGPASSWORD') }}"
      dbname: "{{ env_var('PGDATABASE') }}"
      schema: dbt
      threads: 4
`;

/** A model of the project. Its variable must not be replaced by the macros of the package. */
const PROJECT_MODEL = `
select {{ var('minimum') }} as minimum, count(*) as tickets
from {{ ref('freshet', 'ticket_metrics') }}
where ticket_id >= {{ var('minimum') }}
`;

let deployment: Deployment;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-dbt-'));
  mkdirSync(join(folder, 'models'));
  writeFileSync(join(folder, 'profiles.yml'), PROFILES);
  writeFileSync(join(folder, 'packages.yml'), `packages: [{ local: ${PACKAGE} }]`);
  writeFileSync(join(folder, 'models/counted_tickets.sql'), PROJECT_MODEL);
  deployment = await Deployment.start({ counts: { tickets: 300 }, plan: 'enterprise' }, [
    'api',
    'extract-worker',
    'load-worker',
  ]);
  const pipelineId = await deployment.createPipeline('demo-admin-key', null);
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Installs the package if necessary, and builds all models with their tests. */
async function buildWithDbt(
  { schema, tablePrefix, timeZone }: AnalyticsTarget,
  settingsSchema: string | null,
): Promise<void> {
  const project = {
    name: 'support',
    version: '1.0.0',
    profile: 'freshet',
    vars: {
      minimum: 1,
      freshet: {
        freshet_schema: schema,
        freshet_table_prefix: tablePrefix,
        freshet_time_zone: timeZone,
        freshet_settings_schema: settingsSchema,
      },
    },
  };
  writeFileSync(join(folder, 'dbt_project.yml'), JSON.stringify(project));
  if (!existsSync(join(folder, 'dbt_packages'))) await runDbt('deps');
  await runDbt('build');
}

/** Runs a command of dbt. Throws an error with the output if the command fails. */
async function runDbt(command: 'deps' | 'build'): Promise<void> {
  const program = process.env['FRESHET_DBT'];
  if (program === undefined) throw new Error('FRESHET_DBT is missing. Run this test with `npm run test:dbt`.');
  const url = new URL(deployment.warehouse.warehouseUrl);
  const run = promisify(execFile)(
    program,
    ['--no-use-colors', '--warn-error', command, '--project-dir', folder, '--profiles-dir', folder],
    {
      cwd: folder,
      maxBuffer: 2 ** 26,
      env: {
        PATH: process.env['PATH'] ?? '',
        PGHOST: url.hostname,
        PGPORT: url.port,
        PGUSER: decodeURIComponent(url.username),
        PGPASSWORD: decodeURIComponent(url.password),
        PGDATABASE: url.pathname.slice(1),
        // A session in another time zone must not change any row.
        PGTZ: 'Asia/Kolkata',
        DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
      },
    },
  );
  await run.catch((error: Error & { stdout?: string }) => {
    throw new Error(`dbt ${command} failed:\n${error.stdout ?? error.message}`);
  });
}

/** Lists the columns of a relation with their types, in their order. */
async function listColumns(schema: string, relation: string): Promise<{ name: string; type: string }[]> {
  return [
    ...(await deployment.warehouse.sql<{ name: string; type: string }[]>`
      select a.attname as name, format_type(a.atttypid, a.atttypmod) as type
      from pg_attribute a
      where a.attrelid = to_regclass(${`"${schema}"."${relation}"`}) and a.attnum > 0 and not a.attisdropped
      order by a.attnum`),
  ];
}

/** Counts the rows of each model that only one of the two schemas contains. */
async function compareModels(target: AnalyticsTarget): Promise<Record<string, object>> {
  const schema = getAnalyticsSchema(target.schema);
  const results: Record<string, object> = {};
  for (const { name } of listModels()) {
    const relation = `${target.tablePrefix}${name}`;
    const columns = await listColumns(schema, relation);
    expect(await listColumns(DBT_SCHEMA, name), name).toEqual(columns);
    const list = columns.map((column) => `"${column.name}"`).join(', ');
    const native = `select ${list} from "${schema}"."${relation}"`;
    const dbt = `select ${list} from "${DBT_SCHEMA}"."${name}"`;
    const [row] = await deployment.warehouse.sql.unsafe<{ native: number; dbt: number; rows: number }[]>(
      `select (select count(*)::int from (${native} except all ${dbt}) d) as native,
         (select count(*)::int from (${dbt} except all ${native}) d) as dbt,
         (select count(*)::int from (${native}) r) as rows`,
    );
    results[name] = row as object;
  }
  return results;
}

/**
 * Builds the models in both ways.
 * @param settingsSchema the schema of the settings for dbt; null: the default.
 * @returns the number of rows of each model.
 */
async function expectEqualModels(
  target: AnalyticsTarget,
  settingsSchema: string | null = null,
): Promise<Map<string, number>> {
  await refreshAnalytics(deployment.warehouse.sql, target);
  await buildWithDbt(target, settingsSchema);
  const results = Object.entries(await compareModels(target)) as [
    string,
    { native: number; dbt: number; rows: number },
  ][];
  expect(results.filter(([, { native, dbt }]) => native > 0 || dbt > 0)).toEqual([]);
  return new Map(results.map(([name, { rows }]) => [name, rows]));
}

/** Lists the models without rows. An account need not have merged tickets or warnings. */
function listEmptyModels(rows: ReadonlyMap<string, number>): string[] {
  const isOptional = (name: string) => name === 'ticket_merges' || name === 'analytics_warnings';
  return [...rows].filter(([name, count]) => count === 0 && !isOptional(name)).map(([name]) => name);
}

/** Creates the optional tables that the pipeline does not load. */
async function createOptionalTables(): Promise<void> {
  const { sql } = deployment.warehouse;
  const { schema } = deployment;
  await sql.unsafe(`
    create table if not exists "${schema}".ticket_activities as
    select e.n || '-' || t.id as id, e.at::date as day, t.id as ticket_id, e.at as performed_at, e.activity,
      null::timestamptz as _freshet_deleted_at
    from "${schema}".tickets t
    cross join lateral (values
      (1, t.created_at, jsonb_build_object('new_ticket', true, 'status', 2, 'priority', 'Low')),
      (2, t.created_at + interval '20 minutes', jsonb_build_object('group_id', t.group_id, 'agent_id', t.responder_id)),
      (3, t.created_at + interval '70 minutes', jsonb_build_object('status', 'Pending')),
      (4, t.updated_at, jsonb_build_object('status', t.status)),
      (5, t.updated_at, case when t.id % 50 = 0 then '{"merged_into": 1}' else '{"note": {}}' end::jsonb)
    ) e (n, at, activity)
    where t.id % 2 = 0;
    create table if not exists "${schema}".tickets_history as
    select t.id, t.status, t.priority, t.responder_id, null::bigint as group_id, t.stats, t.created_at as valid_from
    from "${schema}".tickets t where t.id % 3 = 0
    union all
    select t.id, t.status, 4, t.responder_id, t.group_id, t.stats, t.updated_at + interval '1 second'
    from "${schema}".tickets t where t.id % 3 = 0;
    create table if not exists "${schema}".business_hours_history as
    select b.id, b.name, b.time_zone, v.hours as business_hours, v.valid_from, null::timestamptz as _freshet_deleted_at
    from "${schema}".business_hours b
    cross join lateral (values
      (b.business_hours, now() - interval '60 days'),
      ('{"monday": {"start_time": "10:00 pm", "end_time": "6:00 am"}}', now() - interval '10 days')
    ) v (hours, valid_from)`);
}

describe('the dbt package', () => {
  test('builds the same rows as Freshet', async () => {
    const { sql } = deployment.warehouse;
    const target = { schema: deployment.schema, tablePrefix: '', timeZone: null };
    await refreshAnalytics(sql, target);
    await sql.unsafe(`
      insert into "${deployment.schema}_analytics".business_holidays (schedule_id, day, name)
      select null, now()::date - 7 * n, 'Holiday' from generate_series(1, 20) n;
      insert into "${deployment.schema}_analytics".ticket_status_settings (status, stops_sla_timer) values (6, true)`);
    const rows = await expectEqualModels(target);
    expect(rows.get('ticket_metrics')).toBe(300);
    expect(await sql`select minimum, tickets::int from dbt.counted_tickets`).toEqual([{ minimum: 1, tickets: 300 }]);
    expect(listEmptyModels(rows)).toEqual([]);
  });

  test('builds the same rows as Freshet with activities, a history and a time zone', async () => {
    const { sql } = deployment.warehouse;
    const { schema } = deployment;
    await createOptionalTables();
    await sql.unsafe(`
      create schema settings;
      create table settings.business_holidays as select * from "${schema}_analytics".business_holidays;
      create table settings.ticket_status_settings as select * from "${schema}_analytics".ticket_status_settings`);
    const target = { schema, tablePrefix: '', timeZone: 'Eastern Time (US & Canada)' };
    const rows = await expectEqualModels(target, 'settings');
    expect(listEmptyModels(rows)).toEqual([]);
  });

  test('builds the same rows as Freshet without optional tables, with a table prefix', async () => {
    const { sql } = deployment.warehouse;
    const { schema } = deployment;
    await removeChangeTracking(sql, { schema, tablePrefix: '', timeZone: null });
    for (const table of RENAMED_TABLES)
      await sql.unsafe(`alter table "${schema}".${table} rename to ${PREFIX}${table}`);
    await sql.unsafe(`
      alter table "${schema}".${PREFIX}tickets drop column due_by cascade;
      alter table "${schema}".${PREFIX}tickets rename column subject to title;
      comment on column "${schema}".${PREFIX}tickets.title is '{"path":["subject"]}'`);
    const rows = await expectEqualModels({ schema, tablePrefix: PREFIX, timeZone: null });
    expect(rows.get('ticket_metrics')).toBe(300);
    expect(rows.get('responses')).toBe(0);
    const [row] = await sql.unsafe(`select count(*)::int as n from "${DBT_SCHEMA}".tickets where subject is not null`);
    expect(row?.['n']).toBeGreaterThan(0);
  });
});
