import { AppError } from '@freshet/contracts';
import type { AnalyticsTarget, Report } from '../interface.ts';
import { replaceExpressions } from '../models/template.ts';
import { Names, quote } from '../sql.ts';

/** Parameters of the query of a report, in this order. */
const FROM = '$1::date';
const TO = '$2::date';
const ZONE = '$3::text';

/** The groupings by time. `total` is one interval: the whole range. */
const INTERVALS: readonly string[] = ['day', 'week', 'month', 'total'];
/** Group → column of the ticket, for groups that a report does not state itself. */
const TICKET_COLUMNS: Readonly<Record<string, string>> = {
  source: 'm.source',
  company: 'm.company_id',
  priority: 'm.priority',
};

/**
 * Builds the query of a report. Its parameters are the first day, the day after the last day, the
 * IANA name of the time zone, and the greatest number of rows.
 * @param groupBy one of the report's groups; null if the report has none.
 */
export function buildReportSql(names: Names, report: Report, groupBy: string | null): string {
  const functions = buildFunctions(names, groupBy);
  const query = replaceExpressions(report.sql, (name, args) => {
    const resolve = functions[name];
    if (resolve === undefined) throw new AppError('bug', `Unknown function in the report ${report.name}: ${name}.`);
    return resolve(...args);
  });
  if (groupBy === null) return `select * from (${query}) r limit $4`;
  const measures = report.columns.slice(2).map(({ name }) => `r.${quote(name)}`);
  const isInterval = INTERVALS.includes(groupBy);
  const isTag = groupBy === 'tag';
  const label = isInterval || isTag ? `r."group"` : `coalesce(n.name, r."group", 'None')`;
  const id = isInterval || isTag ? 'null::text' : `r."group"`;
  const join =
    isInterval || isTag
      ? ''
      : `left join ${names.relation('dimension_names')} n on n.dimension = '${groupBy}' and n.id::text = r."group"`;
  const order = isInterval ? '1, 3' : '3 desc nulls last, 1';
  return `select ${label} as "group", ${id} as group_id, ${measures.join(', ')}
    from (${query}) r ${join} order by ${order} limit $4`;
}

/**
 * Returns the query of a report for documentation. A user can run it in the warehouse. `$1` is the
 * first day, `$2` the day after the last day, `$3` the IANA name of the time zone, and `$4` the
 * greatest number of rows.
 * @param groupBy one of the report's groups. Null: the default of the report.
 */
export function getReportSql(target: AnalyticsTarget, report: Report, groupBy: string | null): string {
  return buildReportSql(new Names(target), report, groupBy ?? report.groupBy[0] ?? null);
}

function buildFunctions(names: Names, groupBy: string | null): Readonly<Record<string, (...args: string[]) => string>> {
  const interval = groupBy !== null && INTERVALS.includes(groupBy) ? groupBy : null;
  const toInterval = (localTime: string) =>
    `to_char(${interval === 'total' ? FROM : `date_trunc('${interval}', ${localTime})`}, 'YYYY-MM-DD')`;
  const toGroup = (group = '', agent = '', priority?: string) => {
    if (groupBy === 'group') return `(${group})::text`;
    if (groupBy === 'agent') return `(${agent})::text`;
    if (groupBy === 'tag') return 'tag.tag';
    if (groupBy === 'priority' && priority !== undefined) return `(${priority})::text`;
    return `(${TICKET_COLUMNS[groupBy ?? ''] ?? 'null'})::text`;
  };
  const toInstant = (day: string) => `(${day}::timestamp at time zone ${ZONE})`;
  return {
    ref: (model) => names.relation(model as string),
    from_day: () => FROM,
    to_day: () => TO,
    from_time: () => toInstant(FROM),
    to_time: () => toInstant(TO),
    time_zone: () => ZONE,
    is_in_range: (time) => `(${time} >= ${toInstant(FROM)} and ${time} < ${toInstant(TO)})`,
    group_key: (time, group, agent) =>
      interval === null ? toGroup(group, agent) : toInterval(`${time} at time zone ${ZONE}`),
    group_key_of_day: (day, group, agent, priority) =>
      interval === null ? toGroup(group, agent, priority) : toInterval(`${day}::timestamp`),
    interval_key: (day) => (interval === null ? '()' : toInterval(`${day}::timestamp`)),
    tag_join: (ticket) =>
      groupBy === 'tag' ? `join ${names.relation('ticket_tags')} tag on tag.ticket_id = ${ticket}` : '',
  };
}
