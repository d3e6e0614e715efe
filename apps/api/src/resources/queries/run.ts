import { getAnalyticsSchema } from '@freshet/analytics';
import { AppError, toExactNumber } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import type { SqlTransaction } from '@freshet/warehouse-loader';
import { requireNoProblems } from '../../http/field-problems.ts';
import type { WarehouseReader } from '../../warehouse-reads/reader.ts';
import { listPipelineTables } from '../tables/pipeline-tables.ts';
import { ALLOWED_FUNCTIONS, ALLOWED_TYPES, HARMLESS_ATTRIBUTES } from './allowed-functions.ts';
import type { CheckedQuery } from './guard.ts';

export interface QueryLimits {
  readonly rowsMax: number;
  /** The maximum size of the rows as JSON, in bytes. */
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The values of each row, in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[];
  /** The limit that omitted rows. Null: the result is complete. */
  readonly truncated_by: 'rows' | 'bytes' | null;
}

/** The classes of SQLSTATE whose errors concern the query, and not the warehouse. */
const QUERY_ERRORS = /^(0A|20|21|22|25|2B|2F|38|42|54|P0)/;
const INSUFFICIENT_PRIVILEGE = '42501';
const LOCK_TIMEOUT_MS = 2000;
/** The limit of temporary files, which only a superuser can set. */
const TEMPORARY_FILES_MAX = '1GB';

/** The schemas whose tables the queries of a pipeline can read. */
export function getQuerySchemas({ destination_schema: schema }: Pipeline): string[] {
  return [schema, getAnalyticsSchema(schema)];
}

/**
 * Runs a checked query in a read-only transaction. The warehouse omits the rows that exceed the
 * limits, so this process never receives them.
 * @param signal cancels the query.
 * @throws AppError `invalid_input` if the query reads a table that the pipeline did not create,
 * `query_failed`, `query_timeout`, `interrupted`, `address_refused`, `warehouse_*`.
 */
export async function runQuery(
  reader: WarehouseReader,
  pipeline: Pipeline,
  query: CheckedQuery,
  { timeoutMs, ...limits }: QueryLimits,
  signal: AbortSignal,
): Promise<QueryResult> {
  const work = async (transaction: SqlTransaction) => {
    await prepareTransaction(transaction, getQuerySchemas(pipeline));
    await requirePipelineTables(transaction, pipeline, query);
    await requireNoUserFunctions(transaction, pipeline, query);
    await requireAllowedAttributes(transaction, query);
    const columns = await describeColumns(transaction, query.sql);
    return await fetchRows(transaction, query.sql, columns, limits, signal);
  };
  try {
    return await reader.read(
      pipeline.destination_id,
      (transaction) =>
        work(transaction).catch((error: unknown) => {
          throw toQueryError(error);
        }),
      { timeoutMs },
    );
  } catch (error) {
    if (!signal.aborted) throw toTimeoutError(error, timeoutMs);
    throw new AppError('interrupted', 'The query was cancelled, because the client closed the connection.', {
      cause: error,
    });
  }
}

async function prepareTransaction(transaction: SqlTransaction, schemas: readonly string[]): Promise<void> {
  // The parser that checked the query assumes standard strings. The system catalog comes first, so
  // that its functions and operators precede those of the schemas.
  await transaction`set local search_path = ${transaction(['pg_catalog', ...schemas, 'pg_temp'])}`;
  await transaction.unsafe(`
    set local standard_conforming_strings = on; set local lock_timeout = ${LOCK_TIMEOUT_MS};
    set local max_parallel_workers_per_gather = 0; set local intervalstyle = postgres;
    set local bytea_output = hex;
    select set_config('temp_file_limit', '${TEMPORARY_FILES_MAX}', true)
    from pg_roles where rolname = current_user and rolsuper`);
}

/**
 * Requires that all existing tables with the names in a query belong to the pipeline. Other tables
 * of the schemas belong to users or to other pipelines. A name of a common table expression passes,
 * unless such a table has the same name, because the name could refer to the table elsewhere in the
 * query.
 */
async function requirePipelineTables(
  transaction: SqlTransaction,
  pipeline: Pipeline,
  { tables }: CheckedQuery,
): Promise<void> {
  const names = tables.map(({ name }) => name);
  const existing = await transaction<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(${['pg_catalog', ...getQuerySchemas(pipeline)]}) and c.relname = any(${names})`;
  const allowed = new Set(listPipelineTables(pipeline).map(({ schema, name }) => `${schema}.${name}`));
  const isReferenced = (relation: { readonly schema: string; readonly name: string }) =>
    tables.some(({ schema, name }) => name === relation.name && (schema === null || schema === relation.schema));
  const forbidden = existing.filter((r) => isReferenced(r) && !allowed.has(`${r.schema}.${r.name}`));
  requireNoProblems(
    forbidden.map(({ schema, name }) => ({
      pointer: '/sql',
      detail: `sql: The table ${schema}.${name} does not belong to the pipeline. GET /v1/pipelines/${pipeline.id}/tables lists its tables.`,
    })),
  );
}

/**
 * Requires that no function and no operator in the schemas has a name that the query uses. Such a
 * function could be called instead of a function of PostgreSQL with other types of arguments, or
 * like a column of a row (`t.f` calls `f(t)`). The same applies to a domain, whose constraints can
 * call functions (`t.d` casts `t` to `d`).
 */
async function requireNoUserFunctions(
  transaction: SqlTransaction,
  pipeline: Pipeline,
  { names, attributes }: CheckedQuery,
): Promise<void> {
  const schemas = getQuerySchemas(pipeline);
  const found = await transaction<{ name: string }[]>`
    select proname as name from pg_proc join pg_namespace n on n.oid = pronamespace
    where n.nspname = any(${schemas}) and proname = any(${[...names]})
    union
    select oprname from pg_operator join pg_namespace n on n.oid = oprnamespace
    where n.nspname = any(${schemas}) and oprname = any(${[...names]})
    union
    select typname from pg_type join pg_namespace n on n.oid = typnamespace
    where n.nspname = any(${schemas}) and typtype = 'd' and typname = any(${[...attributes]})`;
  requireNoProblems(
    found.map(({ name }) => ({
      pointer: '/sql',
      detail: `sql: The name ${name} is also the name of a function, an operator or a domain in the schemas of the pipeline. Queries cannot use them. Move the function, the operator or the domain to a different schema.`,
    })),
  );
}

/**
 * Requires that no name after a dot is the name of a function or a type that queries cannot use.
 * For example, `('file'::text).pg_read_file` calls the function. The catalog of the server
 * contains the names, because they depend on its release and its extensions.
 */
async function requireAllowedAttributes(transaction: SqlTransaction, { attributes }: CheckedQuery): Promise<void> {
  const suspicious = attributes.filter(
    (name) => !ALLOWED_FUNCTIONS.has(name) && !ALLOWED_TYPES.has(name) && !HARMLESS_ATTRIBUTES.has(name),
  );
  if (suspicious.length === 0) return;
  const found = await transaction<{ name: string }[]>`
    select proname as name from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and proname = any(${suspicious})
      and pronargs >= 1 and pronargs - pronargdefaults <= 1
    union
    select typname from pg_type
    where typnamespace = 'pg_catalog'::regnamespace and typname = any(${suspicious})`;
  requireNoProblems(
    found.map(({ name }) => ({
      pointer: '/sql',
      detail: `sql: The name ${name} after a dot can call a function or a type of PostgreSQL that is not available. If ${name} is a column, write the name without its table.`,
    })),
  );
}

/** Plans the query without executing it, and returns the names and types of its columns. */
async function describeColumns(transaction: SqlTransaction, sql: string): Promise<QueryResult['columns']> {
  const { columns } = await transaction.unsafe(`select * from (\n${sql}\n) as query limit 0`);
  const oids = [...new Set(columns.map(({ type }) => type))];
  const types = await transaction<{ oid: number; name: string }[]>`
    select oid::bigint::int as oid, pg_catalog.format_type(oid, null::int) as name
    from pg_type where oid = any(${oids}::oid[])`;
  const names = new Map(types.map(({ oid, name }) => [oid, name]));
  return columns.map(({ name, type }) => ({ name, type: names.get(type) ?? 'unknown' }));
}

async function fetchRows(
  transaction: SqlTransaction,
  sql: string,
  columns: QueryResult['columns'],
  { rowsMax, bytesMax }: Pick<QueryLimits, 'rowsMax' | 'bytesMax'>,
  signal: AbortSignal,
): Promise<QueryResult> {
  // The columns get unique names, because the names of a query need not be unique.
  const names = columns.map((_, i) => `c${i}`);
  const query = transaction.unsafe<{ line: string | null }[]>(`
    select case when total <= ${bytesMax} then line end as line
    from (
      select line, pg_catalog.sum(pg_catalog.octet_length(line))
        over (rows between unbounded preceding and current row) as total
      from (
        select pg_catalog.to_json(query)::text as line
        from (\n${sql}\n) as query${names.length === 0 ? '' : `(${names.join(', ')})`}
        limit ${rowsMax + 1}
      ) as limited
    ) as counted`);
  const lines = await runCancellable(query, signal);
  const complete = lines.slice(0, rowsMax).flatMap(({ line }) => (line === null ? [] : [line]));
  return {
    columns,
    rows: complete.map((line) => {
      const row = parseJson(line);
      return names.map((name) => row[name] ?? null);
    }),
    truncated_by: complete.length < Math.min(lines.length, rowsMax) ? 'bytes' : lines.length > rowsMax ? 'rows' : null,
  };
}

async function runCancellable<T>(query: PromiseLike<T> & { cancel(): unknown }, signal: AbortSignal): Promise<T> {
  const cancel = () => query.cancel();
  if (signal.aborted) throw new AppError('interrupted', 'The query was cancelled before it started.');
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await query;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** Parses JSON. Numbers that JavaScript cannot represent exactly become strings. */
function parseJson(text: string): Record<string, unknown> {
  const toNumber = (_key: string, value: unknown, { source }: { readonly source?: string }) =>
    typeof value === 'number' && source !== undefined && !/[eE]/.test(source) ? toExactNumber(source) : value;
  return (JSON.parse as (text: string, reviver: typeof toNumber) => Record<string, unknown>)(text, toNumber);
}

/** Replaces the remedy of a timeout. */
function toTimeoutError(error: unknown, timeoutMs: number): unknown {
  if (!(error instanceof AppError) || error.code !== 'query_timeout') return error;
  return new AppError(
    'query_timeout',
    `The warehouse cancelled the query after ${timeoutMs / 1000} seconds. Read fewer rows, for example with a condition on a key or on a time.`,
    { cause: error },
  );
}

function toQueryError(error: unknown): unknown {
  const { code = '', message, hint } = error as { code?: string; message?: string; hint?: string };
  if (error instanceof AppError || !QUERY_ERRORS.test(code) || code === INSUFFICIENT_PRIVILEGE) return error;
  const remedy = hint === undefined ? '' : ` ${hint}`;
  return new AppError('query_failed', `The warehouse rejected the query: ${message}.${remedy}`, { cause: error });
}
