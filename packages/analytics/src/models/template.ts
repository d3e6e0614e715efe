import { AppError } from '@freshet/contracts';
import { quote, quoteLiteral } from '../sql.ts';

/**
 * The subset of Jinja in models. An expression is a call of one of these functions, whose arguments
 * are string literals: `{{ name('argument', …) }}`. dbt resolves the same expressions with the
 * macros of `integrations/dbt/macros`.
 */
export interface TemplateContext {
  /** Returns the relation of a model. */
  readonly ref: (model: string) => string;
  /** Returns a relation with the columns of a table in `sources.yml`. */
  readonly sourceTable: (table: string) => string;
  readonly sourceExists: (table: string) => boolean;
  /** Returns the names of the columns of custom fields of a table. */
  readonly customFields: (table: string) => readonly string[];
  /** Values of `var(…)`. Null becomes the SQL constant NULL. */
  readonly variables: Readonly<Record<string, string | null>>;
  /** A table with the column `ticket_id`; null: all tickets. */
  readonly changedTickets: string | null;
  /** A table with the column `day`; null: all days. */
  readonly changedDays: string | null;
}

type TemplateFunction = (context: TemplateContext, ...args: string[]) => string;

const CLOCK_TIME = '^((0?[1-9]|1[0-2])(:[0-5][0-9]){1,2} ?[ap]m|([01]?[0-9]|2[0-3])(:[0-5][0-9]){1,2})$';
const RATING_CODES = [103, 102, 101, 100, -101, -102, -103] as const;

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ref: (context, model) => context.ref(model as string),
  source_table: (context, table) => context.sourceTable(table as string),
  source_exists: (context, table) => String(context.sourceExists(table as string)),
  var: ({ variables }, name) => {
    const value = variables[name as string];
    if (value === undefined) throw new AppError('bug', `The variable ${name} has no value.`);
    return value === null ? 'null' : quoteLiteral(value);
  },
  changed_tickets: ({ changedTickets }, id) =>
    changedTickets === null ? 'true' : `${id} in (select changed.ticket_id from ${changedTickets} changed)`,
  changed_days: ({ changedDays }, day) =>
    changedDays === null ? 'true' : `${day} in (select changed.day from ${changedDays} changed)`,
  // Excludes periods early that contain no changed day.
  overlaps_changed_days: ({ changedDays }, from, to) =>
    changedDays === null
      ? 'true'
      : `(${to} > (select min(changed.day) from ${changedDays} changed)
        and ${from} <= (select max(changed.day) from ${changedDays} changed))`,
  custom_field_columns: ({ customFields }, table, alias) =>
    customFields(table as string)
      .map((name) => `, ${alias}.${quote(name)} as ${quote(name)}`)
      .join(''),
  // The join that `open_time_before` needs for one time.
  business_day: ({ ref }, alias, schedule, at) =>
    `left join ${ref('business_days')} ${alias} on ${alias}.schedule_id = ${schedule}
      and ${alias}.day = (${at} at time zone 'UTC')::date`,
  // F(schedule, at) of the documentation: the open time of a calendar until a time, as an interval.
  open_time_before: ({ ref }, alias, schedule, at) => `(case
      when ${at} is null then null
      when ${alias}.intervals <= 2 then ${alias}.open_time_before
        + (least(greatest(${at}, ${alias}.opens_1), ${alias}.closes_1) - ${alias}.opens_1)
        + (least(greatest(${at}, ${alias}.opens_2), ${alias}.closes_2) - ${alias}.opens_2)
      else coalesce((
        select i.open_time_before + (least(${at}, i.closes_at) - i.opens_at) from ${ref('business_intervals')} i
        where i.schedule_id = ${schedule} and i.opens_at <= ${at} order by i.opens_at desc limit 1
      ), interval '0') end)`,
  minutes_of: (_, duration) => toMinutes(duration as string),
  // A negative duration, which differing clocks cause, is zero.
  minutes_between: (_, from, to) =>
    `(case when ${from} is not null and ${to} is not null then
      ${toMinutes(`greatest(${to} - ${from}, interval '0')`)} end)::numeric`,
  // A row that was written before the columns `stats_…` existed has nulls in all of them.
  stats_time: (_, alias, name) => `coalesce(${alias}.stats_${name}, case
      when num_nonnulls(${alias}.stats_status_updated_at, ${alias}.stats_first_responded_at, ${alias}.stats_resolved_at,
          ${alias}.stats_agent_responded_at, ${alias}.stats_closed_at) = 0
        and ${alias}.stats ->> '${name}' like '____-__-__T%' then (${alias}.stats ->> '${name}')::timestamptz end)`,
  rating_score: (_, ratings) =>
    `(case ${ratings} ->> 'default_question' ${RATING_CODES.map((code) => `when '${code}' then ${toScore(code)}`).join(' ')} end)`,
  tracked_minutes: (_, entry) => `(case
      when ${entry}.time_spent ~ '^[0-9]{1,6}:[0-9]{2}$'
        then split_part(${entry}.time_spent, ':', 1)::numeric * 60 + split_part(${entry}.time_spent, ':', 2)::numeric
      else round(${entry}.time_spent_in_seconds::numeric / 60, 4) end)`,
  is_clock_time: (_, text) => `(lower(trim(${text})) ~ '${CLOCK_TIME}') is true`,
};

/**
 * Converts an interval to minutes with four decimals. A half of the last decimal, which is 3
 * milliseconds, is rounded up. Integers are several times as fast as divisions of numerics.
 */
function toMinutes(duration: string): string {
  return `(((date_part('epoch', ${duration}) * 1000000)::bigint + 3000) / 6000 * 0.0001)`;
}

function toScore(code: number): number {
  return Math.sign(code) * (Math.abs(code) - 100);
}

const EXPRESSION = /\{\{\s*(\w+)\(((?:[^{}])*?)\)\s*\}\}/g;
const ARGUMENT = /'([^']*)'|"([^"]*)"/g;

/** Resolves the expressions of a model. */
export function resolveTemplate(sql: string, context: TemplateContext): string {
  return replaceExpressions(sql, (name, args) => {
    const resolve = FUNCTIONS[name];
    if (resolve === undefined) throw new AppError('bug', `Unknown function in a model: ${name}.`);
    return resolve(context, ...args);
  });
}

/** Replaces each expression `{{ name('argument', …) }}` of a template. */
export function replaceExpressions(
  template: string,
  replace: (name: string, args: readonly string[]) => string,
): string {
  const resolved = template.replace(EXPRESSION, (_, name: string, text: string) => replace(name, parseArguments(text)));
  if (/\{[{%]/.test(resolved)) throw new AppError('bug', 'A template contains an expression that is not supported.');
  return resolved;
}

function parseArguments(text: string): string[] {
  return [...text.matchAll(ARGUMENT)].map(([, single, double]) => single ?? (double as string));
}

/** Lists the models that a model reads. */
export function findReferences(sql: string): string[] {
  const references = new Set<string>();
  resolveTemplate(sql, {
    ref: (model) => {
      references.add(model);
      return model;
    },
    sourceTable: (table) => table,
    sourceExists: () => true,
    customFields: () => [],
    variables: { time_zone: null, table_prefix: '', first_day: null },
    changedTickets: null,
    changedDays: null,
  });
  return [...references];
}
