import { previewRows } from '@freshet/warehouse-loader';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams } from '../../http/schemas.ts';
import type { WarehouseReader } from '../../warehouse-reads/reader.ts';
import { toTableJson } from './json.ts';
import {
  createMissingTableError,
  findExistingTables,
  getPipelineTable,
  listPipelineTables,
} from './pipeline-tables.ts';
import { TableList, TablePreview } from './schemas.ts';

const tags = ['warehouse'];
const TIMEOUT_MS = 10_000;
const ROWS_MAX = 200;
const VALUE_BYTES_MAX = 1024;
const PREVIEW_BYTES_MAX = 4 * 1024 * 1024;

const TableParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
  table: Type.String({
    description: 'The name of the table, with or without its schema.',
    maxLength: 200,
  }),
});

const PreviewQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: ROWS_MAX, default: 50, description: 'The maximum number of rows.' }),
  ),
});

export function registerTableRoutes(app: App, deps: Deps, reader: WarehouseReader): void {
  registerListTables(app, deps, reader);
  registerPreviewTable(app, deps, reader);
}

function registerListTables(app: App, { store }: Deps, reader: WarehouseReader): void {
  app.get(
    '/v1/pipelines/:id/tables',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listTables',
          tags,
          summary: 'List the tables of a pipeline',
          description:
            'Lists the tables and views of a pipeline that exist in the warehouse, with their columns, sizes and row counts: the tables of the objects, their histories, the analytics models and the ledger. Tables that you or other pipelines have created are not listed. The response contains no rows.',
        }),
        params: IdParams,
        response: { 200: response('The tables.', TableList), ...problemResponses(404, 422, 502, 503) },
      },
    },
    async ({ params }) => {
      const pipeline = await store.pipelines.get(params.id);
      const tables = await reader.read(
        pipeline.destination_id,
        (transaction) => findExistingTables(transaction, pipeline, listPipelineTables(pipeline)),
        { timeoutMs: TIMEOUT_MS },
      );
      return { data: tables.map((table) => toTableJson(table, tables)) };
    },
  );
}

function registerPreviewTable(app: App, { store }: Deps, reader: WarehouseReader): void {
  app.get(
    '/v1/pipelines/:id/tables/:table/rows',
    {
      config: {
        permission: 'read_warehouse',
        describeRead: (payload: {
          readonly schema: string;
          readonly name: string;
          readonly rows: readonly unknown[];
        }) => ({
          table: `${payload.schema}.${payload.name}`,
          rows: payload.rows.length,
        }),
      },
      schema: {
        ...operation({
          operationId: 'previewTable',
          tags,
          summary: 'Preview a table',
          description:
            'Returns the first rows of a table, newest first if the table has a key. Rows can contain personal data, so each preview is added to the audit log. The query is read-only, and is cancelled after 10 seconds. Values that are longer than 1,024 bytes are truncated. The preview contains fewer rows than `limit` if its values exceed 4 MiB. The request is rejected with 409 if the table does not exist in the warehouse yet.',
        }),
        params: TableParams,
        querystring: PreviewQuery,
        response: { 200: response('The rows.', TablePreview), ...problemResponses(404, 409, 422, 502, 503) },
      },
    },
    async ({ params, query }) => {
      const pipeline = await store.pipelines.get(params.id);
      const table = getPipelineTable(pipeline, params.table);
      const limits = { rowsMax: query.limit ?? 50, valueBytesMax: VALUE_BYTES_MAX, bytesMax: PREVIEW_BYTES_MAX };
      const { relation, preview } = await reader.read(
        pipeline.destination_id,
        async (transaction) => {
          const [existing] = await findExistingTables(transaction, pipeline, [table]);
          if (existing === undefined) throw createMissingTableError(table);
          return { relation: existing.relation, preview: await previewRows(transaction, existing.relation, limits) };
        },
        { timeoutMs: TIMEOUT_MS },
      );
      return {
        schema: table.schema,
        name: table.name,
        order_by: [...relation.key],
        columns: relation.columns.map(({ name, type }) => ({ name, type })),
        rows: [...preview.rows],
        cut_values: [...preview.cutValues],
        has_more: preview.hasMore,
      };
    },
  );
}
