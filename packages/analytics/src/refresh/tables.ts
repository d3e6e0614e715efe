import type postgres from 'postgres';
import { buildCommentStatements, type Definition, type Definitions, type Selection } from '../install/definitions.ts';
import type { InstallAction } from '../install/plan.ts';
import { type Names, quote } from '../sql.ts';

/** Writes the relations of models in the transaction of a refresh. */
export class ModelWriter {
  readonly #sql: postgres.TransactionSql;
  readonly #names: Names;
  readonly #definitions: Definitions;

  constructor(sql: postgres.TransactionSql, names: Names, definitions: Definitions) {
    this.#sql = sql;
    this.#names = names;
    this.#definitions = definitions;
  }

  /** Creates or replaces a view. */
  async writeView(definition: Definition): Promise<void> {
    const query = this.#definitions.resolve(definition.model, EVERYTHING);
    await this.#sql.unsafe(`create or replace view ${this.#relation(definition)} as ${query}`);
    await this.#describe(definition);
  }

  /** Computes all rows of a table. Creates the table if the action is `create` or `replace`. */
  async writeTable(definition: Definition, action: InstallAction, firstDay: string | null): Promise<void> {
    const relation = this.#relation(definition);
    const query = this.#definitions.resolve(definition.model, { ...EVERYTHING, firstDay });
    if (action === 'create' || action === 'replace') {
      await this.#sql.unsafe(`create table ${relation} as ${query}`);
      await this.#createIndexes(definition);
    } else {
      await this.#sql.unsafe(`delete from ${relation}`);
      await this.#sql.unsafe(`insert into ${relation} (${listColumns(definition)}) ${query}`);
    }
    if (action !== 'keep') await this.#describe(definition);
    await this.#sql.unsafe(`analyze ${relation}`);
  }

  /**
   * Computes a small table, and replaces its rows only if they differ.
   * @returns whether the rows have changed.
   */
  async updateSmallTable(definition: Definition, firstDay: string | null): Promise<boolean> {
    const relation = this.#relation(definition);
    const columns = listColumns(definition);
    const query = this.#definitions.resolve(definition.model, { ...EVERYTHING, firstDay });
    await this.#sql.unsafe('drop table if exists pg_temp._freshet_rows');
    await this.#sql.unsafe(`create temp table _freshet_rows on commit drop as ${query}`);
    const [difference] = await this.#sql.unsafe<{ exists: boolean }[]>(
      `select exists (select ${columns} from pg_temp._freshet_rows except all select ${columns} from ${relation})
         or exists (select ${columns} from ${relation} except all select ${columns} from pg_temp._freshet_rows) as exists`,
    );
    if (difference?.exists !== true) return false;
    await this.#sql.unsafe(`delete from ${relation}`);
    await this.#sql.unsafe(`insert into ${relation} (${columns}) select ${columns} from pg_temp._freshet_rows`);
    await this.#sql.unsafe(`analyze ${relation}`);
    return true;
  }

  /** Replaces the rows of an incremental model that a selection contains. */
  async replaceRows(definition: Definition, selection: Selection): Promise<void> {
    const relation = this.#relation(definition);
    const { refresh } = definition.model;
    const condition =
      refresh === 'ticket'
        ? `ticket_id in (select ticket_id from ${selection.changedTickets})`
        : refresh === 'day'
          ? `day in (select day from ${selection.changedDays})`
          : `month in (select date_trunc('month', day)::date from ${selection.changedDays})`;
    await this.#sql.unsafe(`delete from ${relation} where ${condition}`);
    const query = this.#definitions.resolve(definition.model, selection);
    await this.#sql.unsafe(`insert into ${relation} (${listColumns(definition)}) ${query}`);
  }

  #relation({ relationName }: Definition): string {
    return `${this.#names.schema}.${quote(relationName)}`;
  }

  async #createIndexes(definition: Definition): Promise<void> {
    const { key, indexes } = definition.model;
    const relation = this.#relation(definition);
    await this.#sql.unsafe(`create unique index on ${relation} (${key.map(quote).join(', ')})`);
    for (const columns of indexes)
      await this.#sql.unsafe(`create index on ${relation} (${columns.map(quote).join(', ')})`);
  }

  async #describe(definition: Definition): Promise<void> {
    await this.#sql.unsafe(buildCommentStatements(this.#names, definition));
  }
}

const EVERYTHING: Selection = { changedTickets: null, changedDays: null, firstDay: null };

function listColumns({ columns }: Definition): string {
  return columns.map(({ name }) => quote(name)).join(', ');
}
