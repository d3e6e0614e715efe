import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import { loadSources, type SourceTable } from '../models/sources.ts';
import { type Names, quote, quoteLiteral } from '../sql.ts';

/** Tables of the installation, beside the models. */
export const CHANGED_TICKETS = '_freshet_changed_tickets';
export const INSTALLED_MODELS = '_freshet_models';
export const STATE = '_freshet_state';

/** Creates the schema of the models, the tables of the installation, and the tables of the user. */
export async function createBookkeeping(sql: postgres.TransactionSql, names: Names): Promise<void> {
  await createSchema(sql, names);
  if (!(await relationExists(sql, names.relation(STATE)))) await createStateTables(sql, names);
  for (const table of loadSources().values())
    if (table.kind === 'freshet_settings' && !(await relationExists(sql, names.relation(table.name))))
      await createUserTable(sql, names, table);
}

async function createStateTables(sql: postgres.TransactionSql, names: Names): Promise<void> {
  await sql.unsafe(`
    create table if not exists ${names.relation(CHANGED_TICKETS)} (ticket_id bigint);
    create table if not exists ${names.relation(INSTALLED_MODELS)} (
      model text primary key,
      definition text not null,
      installed_at timestamptz not null default now()
    );
    create table ${names.relation(STATE)} (key text primary key, value text not null);
    comment on table ${names.relation(CHANGED_TICKETS)} is
      'Tickets that have changed since the last refresh of the models. A null means that all tickets may have changed.';
    comment on table ${names.relation(INSTALLED_MODELS)} is 'The installed models, each with a hash of its definition.';
    comment on table ${names.relation(STATE)} is 'The state of the last refresh of the models.';`);
}

async function createUserTable(
  sql: postgres.TransactionSql,
  names: Names,
  { name, columns, description }: SourceTable,
): Promise<void> {
  const relation = names.relation(name);
  const comment = `${description ?? ''} You fill this table. Freshet never changes its rows.`;
  await sql.unsafe(`
    create table ${relation} (${columns.map((c) => `${quote(c.name)} ${c.type}`).join(', ')});
    comment on table ${relation} is ${quoteLiteral(comment)};
    ${columns.map((c) => `comment on column ${relation}.${quote(c.name)} is ${quoteLiteral(c.description ?? '')};`).join('\n')}`);
}

async function relationExists(sql: postgres.TransactionSql, relation: string): Promise<boolean> {
  const [row] = await sql<{ exists: boolean }[]>`select to_regclass(${relation}) is not null as exists`;
  return row?.exists === true;
}

async function createSchema(sql: postgres.TransactionSql, names: Names): Promise<void> {
  const [access] = await sql<{ role: string; database: string; can_create: boolean; can_use: boolean | null }[]>`
    select current_user as role, current_database() as database,
      has_database_privilege(current_database(), 'CREATE') as can_create,
      (
        select has_schema_privilege(oid, 'CREATE') and has_schema_privilege(oid, 'USAGE')
        from pg_namespace where nspname = ${names.analyticsSchema}
      ) as can_use`;
  const { role, database, can_create, can_use } = access as NonNullable<typeof access>;
  if (can_use === true) return;
  if (can_use === false)
    throw new AppError(
      'warehouse_permission',
      `The warehouse role cannot create models in the schema ${names.schema}. Run: ${`GRANT USAGE, CREATE ON SCHEMA ${names.schema} TO ${quote(role)};`}`,
    );
  if (!can_create)
    throw new AppError(
      'warehouse_permission',
      `The schema ${names.schema} for the models does not exist, and the warehouse role cannot create it. ` +
        `Run: CREATE SCHEMA ${names.schema} AUTHORIZATION ${quote(role)}; or GRANT CREATE ON DATABASE ${quote(database)} TO ${quote(role)};`,
    );
  await sql.unsafe(`create schema ${names.schema}`);
}

/** Reads the state of the last refresh. */
export async function readState(sql: postgres.TransactionSql, names: Names): Promise<Map<string, string>> {
  const rows = await sql.unsafe<{ key: string; value: string }[]>(`select key, value from ${names.relation(STATE)}`);
  return new Map(rows.map(({ key, value }) => [key, value]));
}

/** Writes a value of the state. */
export async function writeState(
  sql: postgres.TransactionSql,
  names: Names,
  key: string,
  value: string,
): Promise<void> {
  await sql.unsafe(
    `insert into ${names.relation(STATE)} (key, value) values ($1, $2)
     on conflict (key) do update set value = excluded.value where ${names.relation(STATE)}.value <> excluded.value`,
    [key, value],
  );
}
