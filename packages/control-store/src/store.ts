import type { AmbientSql, Database, Sql } from './database/database.ts';
import type { JobQueue } from './queue/job-queue.ts';
import type { SecretBox } from './security/secret-box.ts';

/** The dependencies of every store: one database, one queue and one set of encryption keys. */
export interface StoreContext {
  readonly sql: Sql;
  readonly lookupSql: AmbientSql['lookupSql'];
  /** A Drizzle client on the same connections. */
  readonly db: Database;
  readonly joinTransaction: AmbientSql['joinTransaction'];
  readonly runWithCommit: AmbientSql['runWithCommit'];
  readonly queue: JobQueue;
  readonly box: SecretBox;
}

/** The base class of the stores. Each store has the methods for one topic. */
export abstract class Store {
  protected readonly sql: Sql;
  protected readonly lookupSql: AmbientSql['lookupSql'];
  protected readonly db: Database;
  protected readonly joinTransaction: AmbientSql['joinTransaction'];
  protected readonly runWithCommit: AmbientSql['runWithCommit'];
  protected readonly queue: JobQueue;
  protected readonly box: SecretBox;

  constructor({ sql, lookupSql, db, joinTransaction, runWithCommit, queue, box }: StoreContext) {
    this.sql = sql;
    this.lookupSql = lookupSql;
    this.db = db;
    this.joinTransaction = joinTransaction;
    this.runWithCommit = runWithCommit;
    this.queue = queue;
    this.box = box;
  }
}
