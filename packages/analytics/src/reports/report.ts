import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Report, ReportParameter } from '../interface.ts';
import { Header, splitHeader } from '../models/headers.ts';

const FOLDER = fileURLToPath(new URL('../../reports/', import.meta.url));

const RANGE: readonly ReportParameter[] = [
  { name: 'from', type: 'date', required: true, description: 'First day of the range.' },
  { name: 'to', type: 'date', required: true, description: 'Day after the last day of the range.' },
];
const TIME_ZONE: ReportParameter = {
  name: 'time_zone',
  type: 'text',
  required: false,
  description: 'Time zone in which days begin, as an IANA name or a Rails name. Default: the time zone of the account.',
};

let reports: readonly Report[] | null = null;

/** Lists the reports, in the order of their names. */
export function listReports(): readonly Report[] {
  reports ??= readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => parseReport(file, readFileSync(`${FOLDER}${file}`, 'utf8')));
  return reports;
}

function parseReport(file: string, content: string): Report {
  const { header: fields, sql } = splitHeader(file, content);
  const header = new Header(file, fields);
  const groupBy = header.getList('group_by');
  const grouping: ReportParameter[] =
    groupBy.length === 0
      ? []
      : [
          {
            name: 'group_by',
            type: 'text',
            required: false,
            description: `Interval or dimension of the rows: ${groupBy.join(', ')}. Default: ${groupBy[0]}.`,
          },
        ];
  return {
    name: file.replace(/\.sql$/, ''),
    title: header.getText('title'),
    description: header.getText('description'),
    parameters: [...RANGE, ...grouping, TIME_ZONE],
    columns: [...(groupBy.length === 0 ? [] : GROUP_COLUMNS), ...header.getColumns()],
    groupBy,
    sql,
  };
}

/** The first columns of a report whose rows are grouped. */
const GROUP_COLUMNS = [
  {
    name: 'group',
    type: 'text',
    description:
      'First day of the interval or, for the total, of the range. Otherwise the name of the group, agent, channel, ….',
  },
  { name: 'group_id', type: 'text', description: 'Id of the group, agent, channel, …. Null for intervals and tags.' },
];
