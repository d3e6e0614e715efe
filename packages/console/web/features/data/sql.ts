/** Builds the SQL statements and commands that users copy. */
import type { Schemas } from '../../api/client.ts';
import { isMetadataColumn, type Table } from './tables.ts';

/** The key words that PostgreSQL does not accept as the name of a column or of a table. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
  column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
  from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
  localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
  returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
  unique user using variadic verbose when where window with`.split(/\s+/),
);

/** The longest line of a list of columns. */
const LINE_LENGTH_MAX = 72;

/** Quotes an SQL identifier if it requires quotes. */
export function quoteIdentifier(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED_WORDS.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteName({ schema, name }: Pick<Table, 'schema' | 'name'>): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** Builds a statement that selects the newest rows, without metadata columns and deleted rows. */
export function buildSelect(table: Table): string {
  const columns = table.columns.map(({ name }) => name).filter((name) => !isMetadataColumn(name));
  const hasDeletions = table.columns.some(({ name }) => name === '_freshet_deleted_at');
  return [
    ...(columns.length === 0 ? ['select *'] : ['select', ...wrapList(columns.map(quoteIdentifier))]),
    `from ${quoteName(table)}`,
    ...(hasDeletions ? ['where _freshet_deleted_at is null'] : []),
    ...(table.key.length === 0
      ? []
      : [`order by ${table.key.map((name) => `${quoteIdentifier(name)} desc`).join(', ')}`]),
    'limit 100;',
  ].join('\n');
}

/**
 * Builds a statement that selects the rows as they were at a time. Null: the table is no history.
 */
export function buildSelectAsOf({ schema, name, kind }: Table): string | null {
  if (kind !== 'history') return null;
  const current = name.replace(/_history$/, '');
  return `select *\nfrom ${quoteName({ schema, name: `${current}_as_of` })}(now() - interval '7 days')\nwhere _freshet_deleted_at is null;`;
}

/** Builds the command that opens `psql` with the schemas of a pipeline. */
export function buildPsqlCommand(
  {
    host,
    port,
    database,
    username,
    ssl_mode,
  }: Pick<Schemas['Destination'], 'host' | 'port' | 'database' | 'username' | 'ssl_mode'>,
  schemas: readonly string[],
): string {
  const address = host.includes(':') ? `[${host}]` : host;
  const url = `postgresql://${encodeURIComponent(username)}@${address}:${port}/${encodeURIComponent(database)}?sslmode=${ssl_mode}`;
  const options = `-c search_path=${schemas.map(quoteIdentifier).join(',')}`;
  return `PGOPTIONS=${quoteShell(options)} \\\n  psql ${quoteShell(url)}`;
}

/** Joins items with commas, in indented lines. */
function wrapList(items: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [i, item] of items.entries()) {
    const text = i === items.length - 1 ? item : `${item},`;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + text.length > LINE_LENGTH_MAX) lines.push(`  ${text}`);
    else lines[lines.length - 1] = `${last} ${text}`;
  }
  return lines;
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
