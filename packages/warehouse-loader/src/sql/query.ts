import type { ClientBase } from 'pg';

/**
 * Executes a statement with the parameters `$1`, `$2`, …, and returns its rows. Functions that take
 * a `Query` instead of a client can be used with more than one driver.
 */
export type Query = <Row extends object>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>;

export function toQuery(client: ClientBase): Query {
  return async <Row extends object>(sql: string, parameters: readonly unknown[] = []) =>
    (await client.query<Row>(sql, [...parameters])).rows;
}
