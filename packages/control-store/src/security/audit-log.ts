import { and, desc, eq, gte, like, lt, or } from 'drizzle-orm';
import type { AmbientSql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { auditLog } from '../database/schema/index.ts';
import { Store } from '../store.ts';

export type AuditEntry = typeof auditLog.$inferSelect;
export type NewAuditEntry = Omit<AuditEntry, 'id' | 'at'>;

/** Selects audit log entries. An undefined field selects any value. */
export interface AuditFilter {
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  /**
   * The path of a resource, such as `pipelines/<id>`. Selects the entries of the resource and of
   * its subresources.
   */
  readonly resource?: string | undefined;
  /** The start of the period, inclusive. */
  readonly from?: Date | undefined;
  /** The end of the period, exclusive. */
  readonly until?: Date | undefined;
}

/**
 * The audit log. Triggers of the table reject all updates, and all deletions except those by
 * retention.
 */
export class AuditLog extends Store {
  /**
   * Adds an entry, in the transaction of the change that the entry describes. The entry may be sent
   * together with the commit of the transaction.
   */
  async append(entry: NewAuditEntry): Promise<void> {
    await insertAuditEntry({ sql: this.sql, runWithCommit: this.runWithCommit }, entry);
  }

  async list(options: ListOptions, { actorId, action, resource, from, until }: AuditFilter): Promise<List<AuditEntry>> {
    const rows = await this.db
      .select()
      .from(auditLog)
      .where(
        and(
          actorId === undefined ? undefined : eq(auditLog.actor_id, actorId),
          action === undefined ? undefined : eq(auditLog.action, action),
          resource === undefined
            ? undefined
            : or(
                eq(auditLog.resource, resource),
                like(auditLog.resource, `${resource.replaceAll(/[\\%_]/g, '\\$&')}/%`),
              ),
          from === undefined ? undefined : gte(auditLog.at, from),
          until === undefined ? undefined : lt(auditLog.at, until),
          options.cursor === null ? undefined : lt(auditLog.id, decodeCursor(options.cursor)),
        ),
      )
      .orderBy(desc(auditLog.id))
      .limit(options.limit + 1);
    return toList(rows, options.limit);
  }

  /**
   * Deletes entries that are older than `days` days.
   * @param days at least 365. A trigger rejects the deletion of newer entries.
   * @returns the number of deleted entries.
   */
  async prune(days: number): Promise<number> {
    return await this.sql.begin(async (tx) => {
      await tx`set local freshet.retention = 'on'`;
      const { count } = await tx`delete from freshet.audit_log where at < now() - make_interval(days => ${days})`;
      return count;
    });
  }
}

/** Adds an entry to the audit log, together with the commit of the open transaction. */
export async function insertAuditEntry(
  { sql, runWithCommit }: Pick<AmbientSql, 'sql' | 'runWithCommit'>,
  entry: NewAuditEntry,
): Promise<void> {
  const { actor_id, actor_name, actor_role, address, request_id, action, resource, before, after } = entry;
  const toJson = (state: Record<string, unknown> | null) => (state === null ? null : sql.json(state as never));
  // Plain SQL, because every request that changes state executes this statement (see
  // database/resource-table.ts).
  await runWithCommit(sql`
    insert into freshet.audit_log
      (id, actor_id, actor_name, actor_role, address, request_id, action, resource, before, after)
    values (${uuidv7()}, ${actor_id}, ${actor_name}, ${actor_role}, ${address}, ${request_id}, ${action},
      ${resource}, ${toJson(before)}, ${toJson(after)})`);
}
