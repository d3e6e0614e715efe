/**
 * Writes an entity-relationship diagram of the control database, in Mermaid, into a Markdown page.
 *
 * Usage: `node packages/control-store/src/database/write-diagram.ts <page> [--check]`. The page
 * must contain the lines `<!-- control-database:start -->` and `<!-- control-database:end -->`.
 * Everything between these lines is replaced. With `--check`, the script writes nothing, and exits
 * with status 1 if the page is outdated.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { is } from 'drizzle-orm';
import { getTableConfig, type PgColumn, PgTable } from 'drizzle-orm/pg-core';
import * as schema from './schema/index.ts';

const START = '<!-- control-database:start -->';
const END = '<!-- control-database:end -->';

type TableConfig = ReturnType<typeof getTableConfig>;

/**
 * Builds the diagram: the foreign keys, and then the tables with their columns. Tables are sorted
 * by name.
 */
function buildDiagram(): string {
  const tables = Object.values(schema)
    .flatMap((value: unknown) => (is(value, PgTable) ? [getTableConfig(value)] : []))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return ['erDiagram', ...tables.flatMap(listRelations), ...tables.flatMap(listColumns)].join('\n');
}

function listRelations(table: TableConfig): string[] {
  return table.foreignKeys
    .map((key) => {
      const { columns, foreignTable } = key.reference();
      const names = columns.map(({ name }) => name).join(', ');
      return `  ${getTableConfig(foreignTable).name} ||--o{ ${table.name} : "${names}"`;
    })
    .sort();
}

function listColumns(table: TableConfig): string[] {
  const primaryKey = new Set([
    ...table.primaryKeys.flatMap(({ columns }) => columns.map(({ name }) => name)),
    ...table.columns.filter(({ primary }) => primary).map(({ name }) => name),
  ]);
  const foreignKeys = new Set(table.foreignKeys.flatMap((key) => key.reference().columns.map(({ name }) => name)));
  const lines = table.columns.map((column) => {
    const keys = [
      ...(primaryKey.has(column.name) ? ['PK'] : []),
      ...(foreignKeys.has(column.name) ? ['FK'] : []),
      ...(column.isUnique ? ['UK'] : []),
    ];
    return `    ${toMermaidType(column)} ${column.name}${keys.length === 0 ? '' : ` ${keys.join(', ')}`}`;
  });
  return [`  ${table.name} {`, ...lines, '  }'];
}

/**
 * Converts the type of a column for Mermaid, which allows no spaces in types. Two types are
 * replaced with their short names `timestamptz` and `float8`. In other types, spaces become
 * underscores.
 */
function toMermaidType(column: PgColumn): string {
  return column
    .getSQLType()
    .replace('timestamp with time zone', 'timestamptz')
    .replace('double precision', 'float8')
    .replaceAll(' ', '_');
}

/**
 * Replaces the diagram in a Markdown page.
 * @throws Error when the page does not have the two markers.
 */
function insertDiagram(page: string, diagram: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start)
    throw new Error(`The page must contain the lines "${START}" and "${END}", in this order.`);
  return `${page.slice(0, start + START.length)}\n\n\`\`\`mermaid\n${diagram}\n\`\`\`\n\n${page.slice(end)}`;
}

if (import.meta.main) {
  const path = process.argv[2];
  if (path === undefined) throw new Error('Usage: write-diagram.ts <page> [--check]');
  const current = readFileSync(path, 'utf8');
  const updated = insertDiagram(current, buildDiagram());
  if (process.argv.includes('--check')) {
    if (updated !== current) {
      console.error(
        `${path}: the diagram of the control database is outdated. Run: node packages/control-store/src/database/write-diagram.ts ${path}`,
      );
      process.exitCode = 1;
    }
  } else if (updated !== current) writeFileSync(path, updated);
}
