import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the superuser. */
    readonly postgresUrl: string;
  }
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** A client for looking into it. */
  readonly sql: postgres.Sql;
}

/** An empty database of its own. Dropped when disposed of, whoever is still connected. */
export async function createDatabase(): Promise<TestDatabase> {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin.unsafe(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  const sql = postgres(url.href, { max: 3, onnotice: () => {} });
  return {
    url: url.href,
    name,
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
