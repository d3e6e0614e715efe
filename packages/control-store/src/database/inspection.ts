import { connect, toDatabaseError } from './database.ts';
import { getNewestMigration, MIGRATIONS_FOLDER, SERVER_VERSION_MIN } from './migrations.ts';

/** The state of a control database. */
export interface ControlDatabaseState {
  /** Such as `16.4`. */
  readonly serverVersion: string;
  /** Whether Freshet supports the version of the server. */
  readonly isSupported: boolean;
  /** The statements that grant the missing privileges. The owner of the database must run them. */
  readonly missingGrants: readonly string[];
  /**
   * The schema of the database: `none` before the first migration, `older` or `newer` than this
   * release, or `current`.
   */
  readonly schema: 'none' | 'older' | 'current' | 'newer';
  /** The time of the server, minus the time of this machine, in milliseconds. */
  readonly clockSkewMs: number;
}

/** The schemas of the control database. */
const SCHEMAS = ['freshet', 'freshet_migrations', 'pgboss'];

/**
 * Inspects a control database. Changes nothing.
 * @throws AppError `configuration` when the database cannot be reached.
 */
export async function inspectControlDatabase(url: string): Promise<ControlDatabaseState> {
  const sql = connect(url, 1);
  try {
    // Open the connection first, so that the time of the query is short.
    await sql`select`;
    const sentAt = Date.now();
    const [row] = await sql<
      {
        version: string;
        version_number: number;
        milliseconds: number;
        database: string;
        role: string;
        can_create_schema: boolean;
        is_migrated: boolean;
      }[]
    >`
      select current_setting('server_version') as version,
        current_setting('server_version_num')::int as version_number,
        (extract(epoch from clock_timestamp()) * 1000)::float8 as milliseconds,
        quote_ident(current_database()) as database, quote_ident(current_user) as role,
        has_database_privilege(current_database(), 'CREATE') as can_create_schema,
        exists (select from pg_tables where schemaname = 'freshet_migrations' and tablename = '__drizzle_migrations')
          as is_migrated`;
    if (row === undefined) throw new Error('The server returned no row.');
    const receivedAt = Date.now();
    const unusableSchemas = await sql<{ name: string }[]>`
      select quote_ident(nspname) as name from pg_namespace
      where nspname in ${sql(SCHEMAS)}
        and not (has_schema_privilege(oid, 'USAGE') and has_schema_privilege(oid, 'CREATE'))`;
    const existing = await sql`select from pg_namespace where nspname in ${sql(SCHEMAS)}`;
    const missingGrants = unusableSchemas.map(({ name }) => `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${row.role};`);
    if (existing.length < SCHEMAS.length && !row.can_create_schema)
      missingGrants.push(`GRANT CREATE ON DATABASE ${row.database} TO ${row.role};`);
    return {
      serverVersion: row.version,
      isSupported: row.version_number >= SERVER_VERSION_MIN,
      missingGrants,
      schema: row.is_migrated && missingGrants.length === 0 ? await compareSchema(sql) : 'none',
      clockSkewMs: Math.round(row.milliseconds - (sentAt + receivedAt) / 2),
    };
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function compareSchema(sql: ReturnType<typeof connect>): Promise<ControlDatabaseState['schema']> {
  const [row] = await sql<{ applied: number }[]>`
    select coalesce(max(created_at), 0)::float8 as applied from freshet_migrations.__drizzle_migrations`;
  const applied = row?.applied ?? 0;
  const newest = getNewestMigration(MIGRATIONS_FOLDER);
  return applied < newest ? 'older' : applied > newest ? 'newer' : 'current';
}
