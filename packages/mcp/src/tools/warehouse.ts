import type { Freshet, Schemas } from '@freshet/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { findPipeline, pipelineArgument } from '../pipeline-argument.ts';
import { READ_ONLY, registerTool, ToolError } from '../tool.ts';

type Table = Schemas['Table'];

const ROWS_DEFAULT = 100;
const ROWS_MAX = 1000;
/** About 25,000 tokens. */
const BYTES_DEFAULT = 100_000;
const BYTES_MAX = 1_000_000;

export function registerWarehouseTools(server: McpServer, client: Freshet): void {
  registerListTables(server, client);
  registerDescribeTable(server, client);
  registerQueryWarehouse(server, client);
}

function registerListTables(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'list_tables',
    title: 'List tables',
    description:
      'Lists the tables of a pipeline and its analytics models, with their descriptions, keys and row counts. Call describe_table for the columns.',
    input: z.object({
      pipeline: pipelineArgument,
      include_internal: z.boolean().default(false).describe('Whether to list internal models and ledgers, too.'),
    }),
    output: z.object({
      tables: z.array(
        z.object({
          schema: z.string(),
          name: z.string(),
          kind: z.string(),
          description: z.string().nullable(),
          row_count: z.number().nullable(),
          key: z.array(z.string()),
          columns: z.number(),
        }),
      ),
    }),
    annotations: READ_ONLY,
    containsRecords: true,
    call: async ({ pipeline, include_internal: isComplete }) => {
      const tables = await listTables(client, pipeline);
      return {
        tables: tables
          .filter(({ internal, kind }) => isComplete || (!internal && kind !== 'ledger'))
          .map(({ schema, name, kind, description, row_count, key, columns }) => ({
            schema,
            name,
            kind,
            description,
            row_count,
            key,
            columns: columns.length,
          })),
      };
    },
  });
}

function registerDescribeTable(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'describe_table',
    title: 'Describe a table',
    description: 'Returns the columns of a table or of an analytics model, with their types and descriptions.',
    input: z.object({
      table: z.string().min(1).max(200).describe('Name of the table, with or without its schema.'),
      pipeline: pipelineArgument,
    }),
    output: z.object({
      schema: z.string(),
      name: z.string(),
      kind: z.string(),
      description: z.string().nullable(),
      row_count: z.number().nullable(),
      key: z.array(z.string()),
      columns: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          nullable: z.boolean(),
          description: z.string().nullable(),
        }),
      ),
    }),
    annotations: READ_ONLY,
    containsRecords: true,
    call: async ({ table: value, pipeline }) => {
      const tables = await listTables(client, pipeline);
      const table = tables.find(({ schema, name }) => value === name || value === `${schema}.${name}`);
      if (table === undefined)
        throw new ToolError(`table: ${JSON.stringify(value)} does not exist. Call list_tables for the names.`);
      const { schema, name, kind, description, row_count, key, columns } = table;
      return {
        schema,
        name,
        kind,
        description,
        row_count,
        key,
        columns: columns.map((c) => ({ name: c.name, type: c.type, nullable: c.nullable, description: c.description })),
      };
    },
  });
}

function registerQueryWarehouse(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'query_warehouse',
    title: 'Query the warehouse',
    description:
      'Runs one read-only SELECT (PostgreSQL) over the tables of a pipeline and its analytics models, and returns rows. Aggregate in SQL instead of fetching many rows. Each query is recorded in the audit log.',
    input: z.object({
      sql: z.string().min(1).max(20_000).describe('One SELECT statement, without parameters.'),
      pipeline: pipelineArgument,
      max_rows: z.int().min(1).max(ROWS_MAX).default(ROWS_DEFAULT),
      max_bytes: z.int().min(1024).max(BYTES_MAX).default(BYTES_DEFAULT).describe('Maximum size of the rows as JSON.'),
      timeout_seconds: z.int().min(1).max(30).default(20),
    }),
    output: z.object({
      columns: z.array(z.object({ name: z.string(), type: z.string() })),
      rows: z.array(z.array(z.unknown())).describe('Values in the order of the columns.'),
      truncated_by: z.enum(['rows', 'bytes']).nullable().describe('The limit that truncated the result.'),
    }),
    annotations: READ_ONLY,
    containsRecords: true,
    call: async ({ pipeline, ...body }, { mcpReq }) => {
      const { id } = await findPipeline(client, pipeline);
      const { columns, rows, truncated_by } = await client.post('/v1/pipelines/{id}/queries', {
        params: { path: { id } },
        body,
        signal: mcpReq.signal,
      });
      return { columns, rows: rows as unknown[][], truncated_by };
    },
  });
}

async function listTables(client: Freshet, pipeline: string | undefined): Promise<readonly Table[]> {
  const { id } = await findPipeline(client, pipeline);
  const { data } = await client.get('/v1/pipelines/{id}/tables', { params: { path: { id } } });
  return data;
}
