import pg from 'pg';

/** PostgreSQL's codes of errors that occur only because a statement is prepared. */
const PREPARATION_ERRORS: ReadonlySet<unknown> = new Set([
  // The result type has changed, for example because a newer release has changed the table.
  '0A000',
  // The connection does not have the statement, for example because of a connection pooler.
  '26000',
]);

/** The statement with which workers of pg-boss fetch jobs. Its text depends only on the queue. */
const IS_FETCH = /^\s*with\s[^;]*\sskip locked\s[^;]*\supdate\s[^;]*$/i;
/** The maximum number of prepared statements of a connection. The queues need fewer statements. */
const STATEMENTS_MAX = 20;

type QueryCallback = (error: { readonly code?: unknown } | null | undefined, result: unknown) => void;
/** The signatures of `pg.Client.query`. */
type Query = (query: unknown, values?: unknown, callback?: QueryCallback) => unknown;

/**
 * Text of a statement → its name on every connection. Null: the statement is not prepared anymore.
 */
const names = new Map<string, string | null>();

/**
 * A connection that prepares the statements that processes execute most often: the statement with
 * which workers fetch jobs, and the statements passed to `prepare`. PostgreSQL needs several times
 * as long to plan these statements as to execute them.
 */
export class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const send = this.query.bind(this) as Query;
    const sendPrepared: Query = (text, values, callback) => {
      const hasValues = values !== undefined && (values as readonly unknown[]).length > 0;
      const name = callback !== undefined && typeof text === 'string' ? getName(text, hasValues) : null;
      if (name === null) return send(text, values, callback);
      return send({ name, text, values: hasValues ? values : undefined }, undefined, (error, result) => {
        // The statement would fail again. The caller executes it again, without preparing it.
        if (PREPARATION_ERRORS.has(error?.code)) names.set(text as string, null);
        callback?.(error, result);
      });
    };
    this.query = sendPrepared as typeof this.query;
  }
}

/** Lets all connections prepare a statement. Returns the statement. */
export function prepare(text: string): string {
  names.set(text, `freshet_${names.size}`);
  return text;
}

/** Returns the name under which a statement is prepared; null: the statement is not prepared. */
function getName(text: string, hasValues: boolean): string | null {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (hasValues || names.size >= STATEMENTS_MAX || !IS_FETCH.test(text)) return null;
  prepare(text);
  return names.get(text) ?? null;
}
