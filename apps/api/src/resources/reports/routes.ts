import { getReportSql, listReports, type Report as ReportDefinition } from '@freshet/analytics';
import { AppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { requireNoProblems } from '../../http/field-problems.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import type { WarehouseReader } from '../../warehouse-reads/reader.ts';
import { addState, type PipelineWithState } from '../pipelines/json.ts';
import { findArgumentProblems, toReportArguments } from './arguments.ts';
import { toCsv } from './csv.ts';
import { runPipelineReport, toAnalyticsTarget } from './run.ts';
import { FORMATS, ReportList, ReportResult } from './schemas.ts';

const tags = ['reports'];

const ReportParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
  report: Type.String({ description: 'The name of the report.', maxLength: 100 }),
});

const ReportQuery = Type.Object({
  from: Type.Optional(Type.String({ format: 'date', description: 'The first day. Default: 30 days before `to`.' })),
  to: Type.Optional(
    Type.String({
      format: 'date',
      description:
        'The day after the last day. Default: 30 days after `from` or, without `from`, tomorrow (UTC). The interval can have at most 3660 days.',
    }),
  ),
  group_by: Type.Optional(
    Type.String({
      description: 'The grouping of the rows. `group_by` of the report lists the valid values.',
      maxLength: 100,
    }),
  ),
  time_zone: Type.Optional(
    Type.String({
      description:
        'The time zone of the days: a name in the IANA time zone database, or a name that Freshdesk uses. Default: the time zone of the models.',
      maxLength: 64,
    }),
  ),
  format: Type.Optional(
    Type.Unsafe<(typeof FORMATS)[number]>({
      type: 'string',
      enum: [...FORMATS],
      default: 'json',
      description:
        '`json`: a JSON object with the rows and the definitions of the columns. `csv`: a file with a header (RFC 4180), in which texts that begin like a formula have an apostrophe in front. The header `Freshet-Truncated` of the file is `true` if rows are missing.',
    }),
  ),
});

export function registerReportRoutes(app: App, deps: Deps, reader: WarehouseReader): void {
  registerListReports(app, deps);
  registerRunReport(app, deps, reader);
}

function registerListReports(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/reports',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listReports',
          tags,
          summary: 'List reports',
          description:
            'Lists the reports of a pipeline, with their definitions, parameters and queries. The reports are the same for all pipelines. Only the schema in their queries differs.',
        }),
        params: IdParams,
        response: { 200: response('The reports.', ReportList), ...problemResponses(404) },
      },
    },
    async ({ params }) => {
      const pipeline = await store.pipelines.get(params.id);
      return {
        data: listReports().map((report) => ({
          ...toDefinitionJson(report, pipeline, null),
          parameters: [...report.parameters],
          group_by: [...report.groupBy],
          columns: [...report.columns],
        })),
      };
    },
  );
}

function registerRunReport(app: App, deps: Deps, reader: WarehouseReader): void {
  app.get(
    '/v1/pipelines/:id/reports/:report',
    {
      config: { permission: 'read_reports' },
      schema: {
        ...operation({
          operationId: 'runReport',
          tags,
          summary: 'Run a report',
          description:
            'Runs a report in the warehouse, and returns its rows. The query is read-only, and is cancelled after 30 seconds. Each API process runs up to four queries in a warehouse concurrently. Further queries wait. The request is rejected with 409 if the pipeline has no analytics models, or if the models do not exist yet.',
        }),
        params: ReportParams,
        querystring: ReportQuery,
        response: {
          200: {
            description: 'The result of the report.',
            content: {
              'application/json': { schema: ref(ReportResult) },
              'text/csv': { schema: Type.String({ description: 'The rows as CSV.' }) },
            },
          },
          ...problemResponses(404, 409, 422, 502, 503),
        },
      },
    },
    async ({ params, query }, reply) => {
      const pipeline = await addState(deps.store, await deps.store.pipelines.get(params.id));
      const report = getReport(params.report);
      const reportArguments = toReportArguments(report, query, Date.now());
      requireNoProblems(findArgumentProblems(report, reportArguments));
      const refreshedAt = requireModels(pipeline);
      const { from, to, groupBy, timeZone } = reportArguments;
      const result = await runPipelineReport(reader, pipeline, report, reportArguments);
      if (query.format === 'csv') {
        reply
          .type('text/csv; charset=utf-8')
          .header(
            'content-disposition',
            `attachment; filename="${pipeline.destination_schema}-${report.name}-${from}-${to}.csv"`,
          )
          .header('freshet-truncated', String(result.truncated));
        return toCsv(result) as never;
      }
      return {
        ...toDefinitionJson(report, pipeline, groupBy),
        arguments: { from, to, group_by: groupBy, time_zone: timeZone },
        columns: [...result.columns],
        rows: [...result.rows],
        truncated: result.truncated,
        time_zone: result.timeZone,
        refreshed_at: refreshedAt.toISOString(),
      };
    },
  );
}

function getReport(name: string): ReportDefinition {
  const report = listReports().find((candidate) => candidate.name === name);
  if (report !== undefined) return report;
  const names = listReports().map((candidate) => candidate.name);
  throw new AppError('not_found', `Report "${name}" does not exist. Reports: ${names.join(', ')}.`);
}

/**
 * Requires that the pipeline has analytics models.
 * @returns the time of the last refresh.
 * @throws AppError `analytics_off`, `analytics_not_ready`.
 */
function requireModels({ analytics, refresh }: PipelineWithState): Date {
  if (!analytics) {
    throw new AppError(
      'analytics_off',
      'The pipeline has no analytics models. Set analytics to true, and wait until the models were created.',
    );
  }
  const refreshedAt = refresh?.refreshed_at ?? null;
  if (refreshedAt !== null) return refreshedAt;
  const cause = refresh?.error_message ? ` The last attempt to create them failed: ${refresh.error_message}` : '';
  throw new AppError('analytics_not_ready', `The analytics models of the pipeline do not exist yet.${cause}`);
}

/** @param groupBy null: the default of the report. */
function toDefinitionJson(report: ReportDefinition, pipeline: Pipeline, groupBy: string | null) {
  const { name, title, description } = report;
  return { name, title, description, sql: getReportSql(toAnalyticsTarget(pipeline), report, groupBy) };
}
