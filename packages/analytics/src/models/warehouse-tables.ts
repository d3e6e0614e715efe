import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';
import { loadSources, type SourceTable } from './sources.ts';

/** A column of a table in the warehouse. */
interface WarehouseColumn {
  readonly name: string;
  readonly type: string;
  /** The field of the column, if the column has another name than its field. */
  readonly field: string | null;
}

/** Types whose values can be converted to the declared type without errors. */
const SAFE_CASTS: Readonly<Record<string, readonly string[]>> = {
  bigint: ['smallint', 'integer'],
  numeric: ['smallint', 'integer', 'bigint'],
  timestamptz: ['date'],
  jsonb: ['json'],
};
const CUSTOM_FIELD_PREFIX = 'cf_';

/** The tables that the models read, as they exist in the warehouse. */
export class WarehouseTables {
  readonly #names: Names;
  readonly #columns: ReadonlyMap<string, readonly WarehouseColumn[]>;

  /** @param columns table → columns. A table that does not exist has no entry. */
  private constructor(names: Names, columns: ReadonlyMap<string, readonly WarehouseColumn[]>) {
    this.#names = names;
    this.#columns = columns;
  }

  static async read(sql: postgres.TransactionSql, names: Names): Promise<WarehouseTables> {
    const tables = [...loadSources().values()];
    const rows = await sql.unsafe<{ table: string; name: string | null; type: string; comment: string | null }[]>(
      `select t.name as table, a.attname as name, format_type(a.atttypid, null) as type,
         col_description(a.attrelid, a.attnum) as comment
       from unnest($1::text[], $2::text[]) as t (name, relation)
       join pg_class c on c.oid = to_regclass(t.relation) and c.relkind in ('r', 'p', 'v', 'm', 'f')
       left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       order by a.attnum`,
      [tables.map(({ name }) => name), tables.map((table) => getRelation(names, table))],
    );
    const columns = new Map<string, WarehouseColumn[]>();
    for (const { table, name, type, comment } of rows) {
      const list = columns.get(table) ?? [];
      if (name !== null) list.push({ name, type: toShortType(type), field: parseField(comment) });
      columns.set(table, list);
    }
    return new WarehouseTables(names, columns);
  }

  exists(table: string): boolean {
    return this.#columns.has(table);
  }

  getRelation(table: string): string {
    return getRelation(this.#names, loadSources().get(table) as SourceTable);
  }

  /** Lists the columns of custom fields in the order of the table. */
  listCustomFields(table: string): readonly string[] {
    return (this.#columns.get(table) ?? [])
      .map(({ name }) => name)
      .filter((name) => name.startsWith(CUSTOM_FIELD_PREFIX));
  }

  /** Returns the type of a column, or null if the column does not exist. */
  getType(table: string, column: string): string | null {
    return this.#columns.get(table)?.find(({ name }) => name === column)?.type ?? null;
  }

  /**
   * Builds a relation with all declared columns of a table, in their declared types. Columns that
   * do not exist are null, and a table that does not exist has no rows.
   */
  buildRelation(name: string): string {
    const table = loadSources().get(name) as SourceTable;
    const existing = this.#columns.get(name);
    const expressions = table.columns.map((column) => this.#buildColumn(name, column));
    if (existing === undefined) return `(select ${expressions.join(', ')} where false)`;
    const customFields = this.listCustomFields(name)
      .filter((field) => !table.columns.some((column) => column.name === field))
      .map(quote);
    return `(select ${[...expressions, ...customFields].join(', ')} from ${this.getRelation(name)})`;
  }

  /** Lists the columns whose type the models cannot use. Such columns count as missing. */
  listUnusableColumns(): {
    readonly table: string;
    readonly column: string;
    readonly type: string;
    readonly needed: string;
  }[] {
    return [...loadSources().values()].flatMap(({ name: table, columns }) =>
      columns.flatMap(({ name, type: needed }) => {
        const column = this.#findColumn(table, name);
        if (column === undefined || canConvert(column.type, needed)) return [];
        return [{ table, column: column.name, type: column.type, needed }];
      }),
    );
  }

  #buildColumn(table: string, { name, type }: SourceTable['columns'][number]): string {
    const column = this.#findColumn(table, name);
    if (column === undefined || !canConvert(column.type, type)) return `null::${type} as ${quote(name)}`;
    if (column.type === type && column.name === name) return quote(name);
    if (column.type === 'date' && type === 'timestamptz')
      return `(${quote(column.name)}::timestamp at time zone 'UTC') as ${quote(name)}`;
    return `${quote(column.name)}::${type} as ${quote(name)}`;
  }

  /** Finds the column of a field. The user may have renamed the column of the field. */
  #findColumn(table: string, field: string): WarehouseColumn | undefined {
    const columns = this.#columns.get(table);
    return columns?.find(({ name }) => name === field) ?? columns?.find((column) => column.field === field);
  }
}

/** Lists the existing tables of the pipeline that the models read, as quoted names. */
export async function listPipelineTables(sql: postgres.TransactionSql, names: Names): Promise<string[]> {
  const relations = [...loadSources().values()]
    .filter(({ kind }) => kind === 'freshdesk')
    .map((table) => getRelation(names, table));
  const rows = await sql.unsafe<{ relation: string }[]>(
    `select r.relation from unnest($1::text[]) r (relation)
     join pg_class c on c.oid = to_regclass(r.relation) and c.relkind in ('r', 'p')`,
    [relations],
  );
  return rows.map(({ relation }) => relation);
}

function getRelation(names: Names, { name, kind }: SourceTable): string {
  if (kind === 'freshdesk') return names.source(name);
  return kind === 'freshet' ? names.ledger(name) : names.relation(name);
}

function canConvert(from: string, to: string): boolean {
  return from === to || to === 'text' || SAFE_CASTS[to]?.includes(from) === true;
}

function toShortType(type: string): string {
  return type === 'timestamp with time zone' ? 'timestamptz' : type;
}

/** Parses the field from the comment of a column; null: the comment names no field. */
function parseField(comment: string | null): string | null {
  const match = /\{"path":\["((?:[^"\\]|\\.)*)"\]\}$/.exec(comment ?? '');
  return match === null ? null : (JSON.parse(`"${match[1]}"`) as string);
}
