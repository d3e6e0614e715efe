import type postgres from 'postgres';
import type { AnalyticsTarget, Report, ReportArguments, ReportOptions, ReportResult } from './interface.ts';

export function listReports(): readonly Report[] {
  return [
    {
      name: 'tickets_created_resolved',
      title: 'Created',
      description: 'd',
      parameters: [],
      groupBy: ['month'],
      sql: 'select',
      columns: [
        { name: 'month', type: 'date', description: '' },
        { name: 'created', type: 'bigint', description: '' },
      ],
    },
  ];
}
export async function runReport(
  sql: postgres.Sql,
  { schema }: AnalyticsTarget,
  _n: string,
  p: ReportArguments,
  o: ReportOptions,
): Promise<ReportResult> {
  const a = `"${schema}_analytics"`;
  return (await sql.begin('read only', async (tx) => {
    await tx.unsafe(`set local statement_timeout = ${o.timeoutMs}`);
    const rows = await tx.unsafe(
      `select date_trunc('month', day)::date::text as month, sum(created)::int as created from ${a}.daily_summary where day >= $1::date and day < $2::date group by 1 order by 1 limit ${o.limit}`,
      [p.from, p.to],
    );
    return { columns: (listReports()[0] as Report).columns, rows: [...rows] as never, truncated: false };
  })) as ReportResult;
}
