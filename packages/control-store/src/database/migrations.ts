import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { connect, type Sql, toDatabaseError } from './database.ts';

/** The oldest supported version of PostgreSQL for the control database. */
export const SERVER_VERSION_MIN = 140000;
const MIGRATIONS_SCHEMA = 'freshet_migrations';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Migrates the control database. Any number of processes may call this function at once: one
 * process migrates, and the others wait. A database that a newer release has migrated stays
 * unchanged.
 * @param folder the folder of the migrations. Absent: the folder of this release.
 * @throws AppError `configuration` when the database cannot be reached or used.
 */
export async function migrateControlDatabase(url: string, folder = MIGRATIONS_FOLDER): Promise<void> {
  const sql = connect(url, 1);
  try {
    const [row] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    if ((row?.version ?? 0) < SERVER_VERSION_MIN)
      throw new AppError('configuration', 'DATABASE_URL: the server is too old. PostgreSQL 14 or newer is required.');
    await sql`select pg_advisory_lock(hashtextextended('freshet.migrations', 0))`;
    await migrate(drizzle(sql), { migrationsFolder: folder, migrationsSchema: MIGRATIONS_SCHEMA });
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    await sql.end();
  }
}

/**
 * Gets the time of the newest migration in a folder, in milliseconds. Drizzle compares this time
 * with the time of the last applied migration.
 */
export function getNewestMigration(folder: string): number {
  return Math.max(...readMigrationFiles({ migrationsFolder: folder }).map((migration) => migration.folderMillis));
}

const NEWEST_MIGRATION = getNewestMigration(MIGRATIONS_FOLDER);

/**
 * Checks that all migrations were applied.
 * @param folder the folder of the migrations. Absent: the folder of this release.
 * @throws AppError `configuration` when a migration of the folder was not applied.
 */
export async function checkMigrations(sql: Sql, folder = MIGRATIONS_FOLDER): Promise<void> {
  const newest = folder === MIGRATIONS_FOLDER ? NEWEST_MIGRATION : getNewestMigration(folder);
  const [row] = await sql<{ applied: number }[]>`
    select coalesce(max(created_at), 0)::float8 as applied from freshet_migrations.__drizzle_migrations`;
  if ((row?.applied ?? 0) < newest) {
    throw new AppError(
      'configuration',
      'The schema of the control database is older than this release. Restart Freshet to migrate it, or run "freshet migrate".',
    );
  }
}
