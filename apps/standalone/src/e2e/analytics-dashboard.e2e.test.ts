import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { getAnalyticsSchema, refreshAnalytics } from '@freshet/analytics';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/* Runs the queries of the Grafana dashboard over the models on a synced warehouse. */

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
}
interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description: string;
  readonly fieldConfig: { readonly overrides: readonly { readonly matcher: { readonly options: string } }[] };
  readonly targets: readonly { readonly format: 'time_series' | 'table'; readonly rawSql: string }[];
}

const file = fileURLToPath(new URL('../../../../deploy/grafana/freshet-analytics.json', import.meta.url));
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
};
const DAY_MS = 86_400_000;
/** The time range. It ends tomorrow, because today has already begun in some time zones. */
const FROM = new Date(Date.now() - 90 * DAY_MS).toISOString();
const TO = new Date(Date.now() + DAY_MS).toISOString();
/** The type ids of `timestamp` and `timestamptz`, and of numbers. */
const TIMES = [1114, 1184];
const NUMBERS = [20, 21, 23, 700, 701, 1700];

let deployment: Deployment;
let schema: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 200 }, plan: 'enterprise' }, [
    'api',
    'extract-worker',
    'load-worker',
  ]);
  const run = await deployment.sync(await deployment.createPipeline('demo-admin-key', null));
  expect(run.status).toBe('succeeded');
  schema = getAnalyticsSchema(deployment.schema);
  await refreshAnalytics(deployment.warehouse.sql, { schema: deployment.schema, tablePrefix: '', timeZone: null });
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Replaces variables and macros like Grafana. @param group the selected groups; `-1` is All. */
function expand(query: string, group = '-1', interval = 'day'): string {
  const values: Readonly<Record<string, string>> = { schema, prefix: '', 'group:csv': group, interval };
  const expanded = query
    .replaceAll('$__timeFrom()', `'${FROM}'`)
    .replaceAll('$__timeTo()', `'${TO}'`)
    .replaceAll(/\$\{([\w:]+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new TypeError(`The dashboard has no variable ${name}.`);
      return value;
    });
  expect(expanded).not.toContain('$');
  return expanded;
}

/** Runs a query in a read-only transaction. */
async function run(query: string) {
  return await deployment.warehouse.sql.begin('read only', (transaction) => transaction.unsafe(query));
}

function getQuery(title: string): string {
  return dashboard.panels.find((panel) => panel.title === title)?.targets[0]?.rawSql as string;
}

describe('the dashboard over the models', () => {
  test.each(dashboard.panels.map((panel) => [`${panel.title} (${panel.type})`, panel] as const))(
    'panel %s returns rows with the columns that its type needs',
    async (_, panel) => {
      expect(panel.description).not.toBe('');
      for (const { rawSql, format } of panel.targets) {
        const rows = await run(expand(rawSql));
        // Warnings exist only if something limits the models.
        if (panel.title !== 'Warnings') expect(rows.length).toBeGreaterThan(0);
        const names = rows.columns.map(({ name }) => name);
        for (const { matcher } of panel.fieldConfig.overrides) expect(names).toContain(matcher.options);
        if (format !== 'time_series') continue;
        const [time, ...others] = rows.columns;
        expect(time?.name).toBe('time');
        expect(TIMES).toContain(time?.type);
        for (const { name, type } of others) if (name !== 'metric') expect(NUMBERS, name).toContain(type);
      }
    },
  );

  test('the variables list the schema and the groups', async () => {
    const variables = new Map(dashboard.templating.list.map((variable) => [variable.name, variable]));
    const schemas = await run(expand(variables.get('schema')?.query as string));
    expect(schemas.map((row) => row['nspname'])).toEqual([schema]);
    const groups = await run(expand(variables.get('group')?.query as string));
    expect(groups.length).toBeGreaterThan(0);
    expect(groups.columns.map(({ name }) => name)).toEqual(['__text', '__value']);
  });

  test('the panels show the same tickets as the models, and only those of the selected groups', async () => {
    const [all] = await run(
      `select count(*)::int as n, min(group_id) as group_id from "${schema}".ticket_metrics
       where is_counted and created_day >= '${FROM}'::date`,
    );
    const [created] = await run(expand(getQuery('Created')));
    expect(Number(created?.['created'])).toBe(all?.['n']);
    const byMonth = await run(expand(getQuery('Created and resolved'), '-1', 'month'));
    expect(byMonth.reduce((sum, row) => sum + Number(row['created']), 0)).toBe(all?.['n']);
    const hours = await run(expand(getQuery('Busiest hours')));
    const counts = hours.flatMap((row) => Object.entries(row).filter(([name]) => name !== 'hour'));
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(all?.['n']);

    const group = String(all?.['group_id']);
    const [ofGroup] = await run(expand(getQuery('Created'), group));
    const [expected] = await run(
      `select sum(created) as n from "${schema}".daily_summary where group_id = ${group} and day >= '${FROM}'::date`,
    );
    expect(ofGroup?.['created']).toBe(expected?.['n']);
    expect(Number(ofGroup?.['created'])).toBeLessThan(Number(created?.['created']));
  });
});
