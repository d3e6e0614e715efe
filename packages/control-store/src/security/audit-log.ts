import { and, desc, eq, gte, like, lt, or } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { auditLog } from '../database/schema.ts';

export type AuditEntry = typeof auditLog.$inferSelect;

export interface AuditFilter {
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  /** A resource's path, such as `pipelines/<id>`: it, and what stands below it. */
  readonly resource?: string | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Who changed what, in the transaction of the change. Only ever added to: the table itself refuses the rest, but that what is old goes. */
export class AuditLog {
  readonly #db: Database;
  readonly #sql: Sql;

  constructor(db: Database, sql: Sql) {
    this.#db = db;
    this.#sql = sql;
  }

  async append(entry: Omit<AuditEntry, 'id' | 'at'>): Promise<void> {
    await this.#db.insert(auditLog).values({ id: uuidv7(), ...entry });
  }

  async list(options: ListOptions, { actorId, action, resource, from, until }: AuditFilter): Promise<List<AuditEntry>> {
    const rows = await this.#db
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

  /** @param days at least 365: the table itself keeps what is younger. @returns how many entries went. */
  async deleteOlderThan(days: number): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      await tx`set local freshet.retention = 'on'`;
      const { count } = await tx`delete from freshet.audit_log where at < now() - make_interval(days => ${days})`;
      return count;
    });
  }
}
