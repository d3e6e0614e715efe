import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

export type Database = PostgresJsDatabase;
export type Sql = postgres.Sql;
export type Tx = postgres.TransactionSql;

/** The oldest PostgreSQL that the control database may be. */
const SERVER_VERSION_MIN = 140000;

/** @throws AppError `configuration` that says what is wrong with the database and what would be right. */
export async function migrateControlDatabase(url: string): Promise<void> {
  const sql = connect(url, 1);
  try {
    const [row] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    if ((row?.version ?? 0) < SERVER_VERSION_MIN) throw new AppError('configuration', 'DATABASE_URL: PostgreSQL 14 or newer is needed.');
    // Any number of processes may start at once; one migrates, the others wait and find it done.
    await sql`select pg_advisory_lock(hashtextextended('freshet.migrations', 0))`;
    await migrate(drizzle(sql), { migrationsFolder: fileURLToPath(new URL('../migrations', import.meta.url)), migrationsSchema: 'freshet_migrations' });
  } catch (error) {
    throw databaseError(error);
  } finally {
    await sql.end();
  }
}

export function connect(url: string, max: number, settings: Record<string, string> = {}): Sql {
  return postgres(url, { max, onnotice: () => {}, connection: { application_name: 'freshet', ...settings } });
}

/** A failure to reach or use the control database, in words; anything else as it is. */
export function databaseError(error: unknown): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const advice: Record<string, string> = {
    ECONNREFUSED: 'no server answers there',
    ENOTFOUND: 'its host name does not resolve',
    '28P01': 'the server refused the password',
    '28000': 'the server refused this user',
    '3D000': 'the server has no database of that name',
    '42501': `the user lacks a permission (${message}); it must be able to create schemas`,
  };
  const text = advice[code];
  return text === undefined ? error : new AppError('configuration', `DATABASE_URL: ${text}.`, { cause: error });
}
