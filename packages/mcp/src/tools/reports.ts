import type { Freshet } from '@freshet/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { findPipeline, pipelineArgument } from '../pipeline-argument.ts';
import { READ_ONLY, registerTool } from '../tool.ts';

const ROWS_DEFAULT = 200;
const ROWS_MAX = 2000;
const day = z.iso.date().optional();

export function registerReportTools(server: McpServer, client: Freshet): void {
  registerListReports(server, client);
  registerRunReport(server, client);
}

function registerListReports(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'list_reports',
    title: 'List reports',
    description: 'Lists the reports on tickets, agents, service levels and satisfaction, with their definitions.',
    input: z.object({ pipeline: pipelineArgument }),
    output: z.object({
      reports: z.array(
        z.object({
          name: z.string(),
          title: z.string(),
          description: z.string(),
          group_by: z.array(z.string()),
          columns: z.array(z.object({ name: z.string(), description: z.string() })),
        }),
      ),
    }),
    annotations: READ_ONLY,
    call: async ({ pipeline }) => {
      const { id } = await findPipeline(client, pipeline);
      const { data } = await client.get('/v1/pipelines/{id}/reports', { params: { path: { id } } });
      return {
        reports: data.map(({ name, title, description, group_by, columns }) => ({
          name,
          title,
          description,
          group_by,
          columns: columns.map((column) => ({ name: column.name, description: column.description })),
        })),
      };
    },
  });
}

function registerRunReport(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'run_report',
    title: 'Run a report',
    description:
      'Runs a report over the analytics models, and returns its rows and the definitions of its columns. list_reports lists the names and the values of group_by.',
    input: z.object({
      report: z.string().min(1).max(100).describe('Name of the report.'),
      pipeline: pipelineArgument,
      from: day.describe('First day (YYYY-MM-DD). Default: 30 days before to.'),
      to: day.describe('Day after the last day. Default: tomorrow.'),
      group_by: z.string().max(100).optional(),
      time_zone: z.string().max(64).optional().describe('IANA name, such as Europe/Berlin.'),
      max_rows: z.int().min(1).max(ROWS_MAX).default(ROWS_DEFAULT),
    }),
    output: z.object({
      report: z.string(),
      from: z.string(),
      to: z.string(),
      group_by: z.string().nullable(),
      refreshed_at: z.string().describe('The data contains everything that was loaded before this time.'),
      columns: z.array(z.object({ name: z.string(), type: z.string(), description: z.string() })),
      rows: z.array(z.record(z.string(), z.unknown())),
      is_truncated: z.boolean().describe('Whether rows are missing because of max_rows.'),
    }),
    annotations: READ_ONLY,
    containsRecords: true,
    call: async ({ report, pipeline, max_rows: rowsMax, ...query }, { mcpReq }) => {
      const { id } = await findPipeline(client, pipeline);
      const result = await client.get('/v1/pipelines/{id}/reports/{report}', {
        params: { path: { id, report }, query: omitUndefined(query) },
        signal: mcpReq.signal,
      });
      return {
        report: result.name,
        from: result.arguments.from,
        to: result.arguments.to,
        group_by: result.arguments.group_by,
        refreshed_at: result.refreshed_at,
        columns: result.columns.map(({ name, type, description }) => ({ name, type, description })),
        rows: result.rows.slice(0, rowsMax),
        is_truncated: result.truncated || result.rows.length > rowsMax,
      };
    },
  });
}

function omitUndefined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
