import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection URL of the superuser. */
    readonly postgresUrl: string;
    /**
     * The superuser's connection URL for warehouses: through PgBouncer if the tests run with
     * PgBouncer, otherwise `postgresUrl`.
     */
    readonly warehouseUrl: string;
  }
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /**
   * Connection URL for using the database as a warehouse: through PgBouncer if the tests run with
   * PgBouncer, otherwise `url`.
   */
  readonly warehouseUrl: string;
  readonly name: string;
  /** A client for assertions. */
  readonly sql: postgres.Sql;
}

/** The initial content of databases. Copying a database is much faster than filling it. */
export interface DatabaseTemplate {
  /** The name of the database that is copied. */
  readonly name: string;
  /** Fills this database, and closes its connections. Called once per test run. */
  readonly fill: (url: string) => Promise<void>;
}

/**
 * Creates a database. Disposal closes all connections to the database and drops it.
 * @param template the initial content. Absent: the database is empty.
 */
export async function createDatabase(template?: DatabaseTemplate): Promise<TestDatabase> {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomBytes(8).toString('hex')}`;
  if (template) await fillTemplate(admin, template);
  await admin.unsafe(`create database ${name}${template ? ` template ${template.name}` : ''}`);
  const url = toDatabaseUrl(inject('postgresUrl'), name);
  const sql = postgres(url, { max: 3, onnotice: () => {} });
  return {
    url,
    warehouseUrl: toDatabaseUrl(inject('warehouseUrl'), name),
    name,
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Creates the database of a template, unless a different test file of this run has created it. */
async function fillTemplate(admin: postgres.Sql, { name, fill }: DatabaseTemplate): Promise<void> {
  const lock = `template ${name}`;
  await admin`select pg_advisory_lock(hashtextextended(${lock}, 0))`;
  try {
    const existing = await admin`select from pg_database where datname = ${name}`;
    if (existing.length > 0) return;
    // A copy of a failed attempt must not be used, so the database is renamed when it is complete.
    const draft = `${name}_draft`;
    await admin.unsafe(`drop database if exists ${draft} with (force)`);
    await admin.unsafe(`create database ${draft}`);
    await fill(toDatabaseUrl(inject('postgresUrl'), draft));
    await admin.unsafe(`alter database ${draft} rename to ${name}`);
  } finally {
    await admin`select pg_advisory_unlock(hashtextextended(${lock}, 0))`;
  }
}

function toDatabaseUrl(server: string, name: string): string {
  return Object.assign(new URL(server), { pathname: `/${name}` }).href;
}
