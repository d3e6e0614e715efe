import { randomUUID } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import { connect, createAmbientSql, toDatabaseError } from '../database/database.ts';
import { NIL_UUID } from '../database/ids.ts';
import { inspectControlDatabase } from '../database/inspection.ts';
import { insertAuditEntry } from './audit-log.ts';
import { insertToken, type NewToken, type TokenInput } from './tokens.ts';

/**
 * Creates a token and its audit log entry directly in the control database. The operator needs
 * write access to the control database, but neither a token nor the API.
 * @param operator the author of the change in the audit log, such as `alice@host`.
 * @throws AppError `configuration` when the database cannot be reached, or its schema is missing or
 *   older than this release.
 */
export async function createTokenAsOperator(
  databaseUrl: string,
  input: TokenInput,
  operator: string,
): Promise<NewToken> {
  await checkSchema(databaseUrl);
  const pool = connect(databaseUrl, 1);
  const { sql, db, transaction, runWithCommit } = createAmbientSql(pool, pool);
  try {
    return await transaction(async () => {
      const created = await insertToken(db, input);
      const { version: _version, ...after } = created.token;
      // A connection through a Unix socket has no address.
      const [client] = await sql<{ address: string }[]>`
        select coalesce(host(inet_client_addr()), '127.0.0.1') as address`;
      await insertAuditEntry(
        { sql, runWithCommit },
        {
          // The change was made without a token.
          actor_id: NIL_UUID,
          actor_name: operator,
          actor_role: 'team_admin',
          address: client?.address ?? '',
          request_id: randomUUID(),
          action: 'createToken',
          resource: `tokens/${created.token.id}`,
          before: null,
          after,
        },
      );
      return created;
    });
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    await pool.end({ timeout: 1 });
  }
}

/**
 * Checks that the database has the schema of this release or of a newer release. A newer schema is
 * valid, because migrations only add to the schema.
 */
async function checkSchema(databaseUrl: string): Promise<void> {
  const { schema, missingGrants } = await inspectControlDatabase(databaseUrl);
  if (missingGrants.length > 0)
    throw new AppError(
      'configuration',
      `The role in DATABASE_URL lacks privileges. As the owner of the database, run: ${missingGrants.join(' ')}`,
    );
  if (schema === 'none')
    throw new AppError(
      'configuration',
      'The database in DATABASE_URL does not contain the schema of Freshet. Check the name of the database. To create the schema, start Freshet or run "freshet migrate".',
    );
  if (schema === 'older')
    throw new AppError(
      'configuration',
      'The schema of the control database is older than this release. Restart Freshet to migrate it, or run "freshet migrate".',
    );
}
