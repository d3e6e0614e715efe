import { describe, expect, test } from 'vitest';
import { listReports } from '../reports/report.ts';
import { getAnalyticsSchema, quoteLiteral } from '../sql.ts';
import { listModels } from './list-models.ts';
import { loadModels } from './model.ts';
import { loadSources } from './sources.ts';
import { resolveTemplate, type TemplateContext } from './template.ts';

const CONTEXT: TemplateContext = {
  ref: (model) => model,
  sourceTable: (table) => table,
  sourceExists: () => false,
  customFields: () => ['cf_a"b'],
  variables: { time_zone: "It's", first_day: null },
  changedTickets: null,
  changedDays: null,
};

describe('the models', () => {
  test('contain all models of the documentation', () => {
    const names = listModels()
      .filter(({ internal }) => !internal)
      .map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'tickets',
        'ticket_metrics',
        'ticket_status_periods',
        'responses',
        'sla_targets',
        'csat_responses',
        'time_tracked',
        'ticket_tags',
        'daily_backlog',
        'daily_summary',
        'agent_daily',
        'company_monthly',
        'business_intervals',
        'time_zones',
        'analytics_warnings',
      ]),
    );
  });

  test.each(loadModels())(
    '$name describes each column in a sentence, and its key with columns',
    ({ key, columns, description }) => {
      expect(description).toMatch(/\.$/);
      for (const column of columns) expect(column.description).toMatch(/^\w.*\.$/s);
      expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining([...key]));
    },
  );

  test('read only tables that sources.yml declares', () => {
    for (const { sql } of loadModels())
      resolveTemplate(sql, {
        ...CONTEXT,
        variables: { time_zone: null, table_prefix: '', first_day: null },
        sourceTable: (table) => {
          expect(loadSources().has(table)).toBe(true);
          return table;
        },
      });
  });
});

describe('the reports', () => {
  test('have titles, descriptions and the parameters from and to', () => {
    expect(listReports().map(({ name }) => name)).toEqual([
      'agent_performance',
      'backlog',
      'busiest_hours',
      'channel_mix',
      'csat',
      'first_response_time',
      'resolution_time',
      'sla',
      'summary',
      'tickets_created_resolved',
    ]);
    for (const { parameters } of listReports())
      expect(parameters.filter(({ required }) => required).map(({ name }) => name)).toEqual(['from', 'to']);
  });
});

describe('resolveTemplate', () => {
  test.each([
    ["{{ ref('a') }}", 'a'],
    ["{{ var('time_zone') }}", "'It''s'"],
    ["{{ var('first_day') }}", 'null'],
    ["{{ source_exists('a') }}", 'false'],
    ["{{ changed_tickets('t.id') }}", 'true'],
    ["{{ custom_field_columns('tickets', 't') }}", ', t."cf_a""b" as "cf_a""b"'],
    [
      `{{ minutes_of("coalesce(d, interval '0')") }}`,
      "(((date_part('epoch', coalesce(d, interval '0')) * 1000000)::bigint + 3000) / 6000 * 0.0001)",
    ],
  ])('resolves %s', (template, expected) => {
    expect(resolveTemplate(template, CONTEXT)).toBe(expected);
  });

  test('restricts a query to changed tickets', () => {
    expect(resolveTemplate("{{ changed_tickets('t.id') }}", { ...CONTEXT, changedTickets: 'changes' })).toBe(
      't.id in (select changed.ticket_id from changes changed)',
    );
  });

  test.each(['{{ unknown() }}', '{% if true %}', "{{ var('other') }}", '{{ ref }}'])('rejects %s', (template) => {
    expect(() => resolveTemplate(template, CONTEXT)).toThrow(/function|expression|variable/);
  });
});

describe('names', () => {
  test('a schema name that is too long gets a hash, and stays unique', () => {
    const names = ['a', 'b'].map((end) => getAnalyticsSchema(`${'x'.repeat(60)}${end}`));
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^x+_[0-9a-f]{8}_analytics$/);
    expect(getAnalyticsSchema('acme')).toBe('acme_analytics');
  });

  test('a literal keeps quotes and backslashes', () => {
    expect(quoteLiteral("a'b")).toBe("'a''b'");
    expect(quoteLiteral("a\\'b")).toBe(" E'a\\\\''b'");
  });
});
