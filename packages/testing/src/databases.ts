import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the superuser. */
    readonly postgresUrl: string;
    /** The same, through PgBouncer where the tests are to run through it. */
    readonly warehouseUrl: string;
  }
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** Where a warehouse in it is found: the same, or through PgBouncer. */
  readonly warehouseUrl: string;
  readonly name: string;
  /** A client for looking into it. */
  readonly sql: postgres.Sql;
}

/** An empty database of its own. Dropped when disposed of, whoever is still connected. */
export async function createDatabase(): Promise<TestDatabase> {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin.unsafe(`create database ${name}`);
  const at = (server: string) => Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const url = at(inject('postgresUrl'));
  const sql = postgres(url, { max: 3, onnotice: () => {} });
  return {
    url,
    warehouseUrl: at(inject('warehouseUrl')),
    name,
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
