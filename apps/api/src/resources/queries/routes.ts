import type { App, Deps } from '../../context.ts';
import { appendAuditEntry } from '../../http/audit.ts';
import { createDisconnectSignal } from '../../http/disconnect-signal.ts';
import { requireNoProblems } from '../../http/field-problems.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import type { WarehouseReader } from '../../warehouse-reads/reader.ts';
import { type CheckedQuery, formatTable, RejectedQuery } from './guard.ts';
import { QueryChecker } from './query-checker.ts';
import { getQuerySchemas, runQuery } from './run.ts';
import { QUERY_DEFAULTS, QueryInput, QueryResult } from './schemas.ts';

export function registerQueryRoutes(app: App, { store }: Deps, reader: WarehouseReader): void {
  const checker = new QueryChecker();
  app.addHook('onClose', () => checker.close());
  app.post(
    '/v1/pipelines/:id/queries',
    {
      config: { permission: 'read_warehouse', isReadOnly: true, ignoresIdempotencyKey: true },
      schema: {
        ...operation({
          operationId: 'queryWarehouse',
          tags: ['warehouse'],
          summary: 'Query the warehouse',
          description:
            'Runs one `SELECT` statement in the warehouse, and returns its rows. The statement can read the tables of the pipeline and its analytics models. It can use standard types, operators and functions that compute a value from their arguments. Other statements are rejected with 400 and a reason. The statement runs in a read-only transaction. Rows can contain personal data, so each query is added to the audit log before it runs. The entry contains the statement without its constants. `Idempotency-Key` is ignored, because a query changes nothing.',
        }),
        params: IdParams,
        body: ref(QueryInput),
        response: { 200: response('The rows.', QueryResult), ...problemResponses(404, 422, 502, 503) },
      },
    },
    async (request, reply) => {
      const { sql, max_rows, max_bytes, timeout_seconds } = { ...QUERY_DEFAULTS, ...request.body };
      const pipeline = await store.pipelines.get(request.params.id);
      const query = await checkField(checker, sql, getQuerySchemas(pipeline));
      const { pattern, digest, tables } = query;
      const payload = { sql: pattern, sql_sha256: digest, tables: tables.map(formatTable) };
      await appendAuditEntry(store, request, reply, { before: null, payload });
      const limits = { rowsMax: max_rows, bytesMax: max_bytes, timeoutMs: timeout_seconds * 1000 };
      const result = await runQuery(reader, pipeline, query, limits, createDisconnectSignal(reply));
      return { ...result, columns: [...result.columns], rows: [...result.rows] };
    },
  );
}

/** @throws AppError `invalid_input` with the reason for which the query is rejected. */
async function checkField(checker: QueryChecker, sql: string, schemas: readonly string[]): Promise<CheckedQuery> {
  try {
    return await checker.check(sql, schemas);
  } catch (error) {
    if (!(error instanceof RejectedQuery)) throw error;
    requireNoProblems([{ pointer: '/sql', detail: `sql: ${error.message}` }]);
    throw error;
  }
}
