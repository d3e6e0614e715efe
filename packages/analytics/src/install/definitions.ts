import { createHash } from 'node:crypto';
import type postgres from 'postgres';
import type { DescribedColumn } from '../interface.ts';
import type { Model } from '../models/model.ts';
import { resolveTemplate, type TemplateContext } from '../models/template.ts';
import type { WarehouseTables } from '../models/warehouse-tables.ts';
import { type Names, quote, quoteLiteral } from '../sql.ts';
import { INSTALLED_MODELS } from './bookkeeping.ts';

/** A model as it must be installed in one warehouse. */
export interface Definition {
  readonly model: Model;
  /** The name of the relation in the schema of the models. */
  readonly relationName: string;
  readonly columns: readonly DescribedColumn[];
  readonly hash: string;
}

/** Tables that restrict a query to changed tickets or days. Null: everything. */
export interface Selection {
  readonly changedTickets: string | null;
  readonly changedDays: string | null;
  /** The first day of the oldest ticket's year, as `YYYY-MM-DD`; null: the query finds it. */
  readonly firstDay: string | null;
}

const EVERYTHING: Selection = { changedTickets: null, changedDays: null, firstDay: null };

/** Builds the SQL of models for one warehouse. */
export class Definitions {
  readonly #names: Names;
  readonly #tables: WarehouseTables;
  readonly list: readonly Definition[];

  constructor(names: Names, tables: WarehouseTables, models: readonly Model[]) {
    this.#names = names;
    this.#tables = tables;
    this.list = models.map((model) => {
      const customFields = this.#listCustomFields(model);
      const columns = [...model.columns, ...customFields];
      // The types of custom fields are those of the existing view. When the loader widens a column,
      // it also creates the view again with the new type, so the definition is the same.
      const content = JSON.stringify([
        this.resolve(model, EVERYTHING),
        [...model.columns, ...customFields.map(({ name, description }) => ({ name, description }))],
        model.key,
        model.indexes,
        model.materialized,
      ]);
      const hash = createHash('sha256').update(content).digest('hex');
      return { model, relationName: names.relationName(model.name), columns, hash };
    });
  }

  /** Resolves the SQL of a model. */
  resolve(model: Model, { changedTickets, changedDays, firstDay }: Selection): string {
    const tables = this.#tables;
    const names = this.#names;
    const context: TemplateContext = {
      ref: (name) => names.relation(name),
      sourceTable: (table) => tables.buildRelation(table),
      sourceExists: (table) => tables.exists(table),
      customFields: (table) => tables.listCustomFields(table),
      variables: { time_zone: names.target.timeZone, table_prefix: names.target.tablePrefix, first_day: firstDay },
      changedTickets,
      changedDays,
    };
    return resolveTemplate(model.sql, context);
  }

  #listCustomFields({ customFieldsOf, columns }: Model): DescribedColumn[] {
    if (customFieldsOf === null) return [];
    return this.#tables
      .listCustomFields(customFieldsOf)
      .filter((name) => !columns.some((column) => column.name === name))
      .map((name) => ({
        name,
        type: this.#tables.getType(customFieldsOf, name) as string,
        description: 'Custom field of the account.',
      }));
  }
}

/** Reads the hashes of the installed definitions, by model. */
export async function readInstalledHashes(sql: postgres.TransactionSql, names: Names): Promise<Map<string, string>> {
  const rows = await sql.unsafe<{ model: string; definition: string }[]>(
    `select model, definition from ${names.relation(INSTALLED_MODELS)}`,
  );
  return new Map(rows.map(({ model, definition }) => [model, definition]));
}

/** Records the hashes of the definitions, and forgets models that no longer exist. */
export async function writeInstalledHashes(
  sql: postgres.TransactionSql,
  names: Names,
  definitions: readonly Definition[],
): Promise<void> {
  const models = definitions.map(({ model }) => model.name);
  await sql.unsafe(`delete from ${names.relation(INSTALLED_MODELS)} where model <> all ($1::text[])`, [models]);
  await sql.unsafe(
    `insert into ${names.relation(INSTALLED_MODELS)} as i (model, definition)
     select * from unnest($1::text[], $2::text[])
     on conflict (model) do update set definition = excluded.definition, installed_at = now()
       where i.definition <> excluded.definition`,
    [models, definitions.map(({ hash }) => hash)],
  );
}

/** Builds the statements that describe a relation and its columns. */
export function buildCommentStatements(names: Names, { model, columns, relationName }: Definition): string {
  const relation = `${names.schema}.${quote(relationName)}`;
  const kind = model.materialized === 'view' ? 'view' : 'table';
  const description = `${model.description} Contains ${model.grain}.`;
  return [
    `comment on ${kind} ${relation} is ${quoteLiteral(description)};`,
    ...columns.map(
      (column) => `comment on column ${relation}.${quote(column.name)} is ${quoteLiteral(column.description)};`,
    ),
  ].join('\n');
}
