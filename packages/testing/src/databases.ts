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

/** Creates an empty database. Disposal closes all connections to the database and drops it. */
export async function createDatabase(): Promise<TestDatabase> {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin.unsafe(`create database ${name}`);
  const withDatabase = (server: string) => Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const url = withDatabase(inject('postgresUrl'));
  const sql = postgres(url, { max: 3, onnotice: () => {} });
  return {
    url,
    warehouseUrl: withDatabase(inject('warehouseUrl')),
    name,
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
