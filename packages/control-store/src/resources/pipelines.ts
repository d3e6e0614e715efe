import { AppError, type PipelineStatus } from '@freshet/contracts';
import { count, eq, sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import {
  createNameConflict,
  deleteResource,
  getResource,
  listResources,
  mapConstraintErrors,
  updateResource,
} from '../database/resource-table.ts';
import { childWork, destinations, pipelineObjects, pipelines } from '../database/schema/index.ts';
import { Store } from '../store.ts';
import { applyAnalyticsSettings, findTrackedTables, requestTrackingRemoval } from './analytics.ts';
import { getNextRun, NO_NEXT_RUN } from './cron.ts';
import { findCredentialProblems, type ReferenceProblem, rejectReferenceProblems } from './references.ts';

export type Pipeline = typeof pipelines.$inferSelect;
/** Columns that only Freshet sets. */
type ServerManagedField =
  | 'id'
  | 'created_at'
  | 'updated_at'
  | 'version'
  | 'hash_salt'
  | 'status'
  | 'paused_by'
  | 'quota_notified'
  | 'next_run_at'
  | 'next_audit_at'
  | 'next_digest_at';
type OptionalField = 'priority' | 'schedule' | 'record_spike' | 'monthly_quota' | 'analytics' | 'analytics_time_zone';
export type PipelineInput = Omit<Pipeline, ServerManagedField | OptionalField> & Partial<Pick<Pipeline, OptionalField>>;
export type PipelineObject = typeof pipelineObjects.$inferSelect;

/** Selects pipelines. An undefined field selects any value. */
export interface PipelineFilter {
  readonly name?: string | undefined;
  readonly status?: PipelineStatus | undefined;
  readonly subdomain?: string | undefined;
  readonly destination_id?: string | undefined;
  /** A part of the name or of the account. Case is ignored. */
  readonly search?: string | undefined;
}

/**
 * An object whose table was loaded under a different control database, for example one that was
 * lost. `position` is the state from which extraction continues.
 */
export interface AdoptedObject {
  readonly object: string;
  readonly position: Readonly<Record<string, unknown>>;
  readonly completeAsOf: Date;
  readonly completeBackTo: Date;
}

const AUDIT_FREQUENCY_DAYS_DEFAULT = 7;

const RESOURCE = { table: pipelines, name: 'pipeline' };

const conflicts = {
  pipelines_name_unique: createNameConflict('pipeline'),
  pipelines_destination_unique: new AppError(
    'conflict',
    'destination_schema: another pipeline writes to this schema with the same table prefix. Choose a different schema or table prefix.',
    { context: { pointer: '/destination_schema' } },
  ),
};

/** The channel that notifies schedulers of changes to the schedule or the status of a pipeline. */
export const SCHEDULE_CHANNEL = 'freshet_schedule';

/** Pipelines, and the state of their objects. */
export class Pipelines extends Store {
  /**
   * Creates a pipeline. Its first run is due at once. Schedulers are not notified, so that the
   * settings of the pipeline can be completed before the scheduler starts that run.
   * @throws AppError `conflict` when another pipeline has the same name, or writes to the same
   * schema with the same table prefix, or `invalid_input` when a reference cannot be used.
   */
  async create(input: PipelineInput): Promise<Pipeline> {
    await rejectReferenceProblems(this.findReferenceProblems(input));
    const auditDays = input.audit_frequency_days ?? AUDIT_FREQUENCY_DAYS_DEFAULT;
    const [created] = await mapConstraintErrors(
      this.db
        .insert(pipelines)
        .values({ id: uuidv7(), ...input, next_audit_at: sql`now() + make_interval(days => ${auditDays})` })
        .returning(),
      conflicts,
    );
    return created as Pipeline;
  }

  /**
   * Stores the state of objects that were extracted under a different control database. An object
   * that already has a state keeps this state.
   */
  async adoptObjects(id: string, objects: readonly AdoptedObject[]): Promise<void> {
    for (const { object, position, completeAsOf, completeBackTo } of objects) {
      await this.sql`
        insert into freshet.pipeline_objects (pipeline_id, object, position, complete_as_of, complete_back_to,
          first_read_at)
        values (${id}, ${object}, ${this.sql.json(position as never)}, ${completeAsOf}, ${completeBackTo}, now())
        on conflict do nothing`;
    }
  }

  /** @throws AppError `not_found`. */
  get(id: string): Promise<Pipeline> {
    return getResource(this.lookupSql, RESOURCE, id);
  }

  list(options: ListOptions, { search, ...filter }: PipelineFilter = {}): Promise<List<Pipeline>> {
    const pattern = `%${search?.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const condition =
      search === undefined ? this.sql`` : this.sql`and (name ilike ${pattern} or subdomain ilike ${pattern})`;
    return listResources(this.sql, RESOURCE, options, filter, condition);
  }

  /**
   * Updates a pipeline. A new schedule or frequency changes the time of the next run. A new
   * analytics setting takes effect at once, without waiting for the next run.
   * @param expected the expected version. Null: any.
   */
  async update(id: string, changes: Partial<PipelineInput>, expected: number | null): Promise<Pipeline> {
    await rejectReferenceProblems(this.findReferenceProblems(changes));
    const times = { ...buildNextRunUpdate(id, changes), ...buildNextAuditUpdate(changes) };
    const update = { ...changes, ...times };
    const updated = await mapConstraintErrors(
      updateResource(this.db, RESOURCE, id, { changes: update, expected }),
      conflicts,
    );
    if (changes.analytics !== undefined || changes.analytics_time_zone !== undefined)
      await this.joinTransaction((tx) => applyAnalyticsSettings({ tx, queue: this.queue }, updated));
    if (Object.keys(times).length > 0) await this.#notifySchedulers();
    return updated;
  }

  /**
   * Pauses or activates a pipeline. A paused pipeline does not start runs, and the extraction of
   * its open runs pauses. Stored batches are still loaded.
   * @param expected the expected version. Null: any.
   */
  async setStatus(id: string, status: PipelineStatus, expected: number | null = null): Promise<Pipeline> {
    const changes = { status, paused_by: status === 'paused' ? ('user' as const) : null };
    const updated = await updateResource(this.db, RESOURCE, id, { changes, expected });
    await this.#notifySchedulers();
    return updated;
  }

  /**
   * Deletes a pipeline with its runs and batches. The tables and the models in the warehouse belong
   * to the user and stay. A job removes the triggers that record changes for the models.
   */
  async delete(id: string, expected: number | null = null): Promise<void> {
    const tracked = await findTrackedTables(this.sql, id);
    await this.db.transaction(async (tx) => {
      await deleteResource(tx as unknown as Database, RESOURCE, id, expected);
      // No transaction can add child work from now on, because the transaction would first have to
      // lock a row that no longer exists.
      await tx.delete(childWork).where(eq(childWork.pipeline_id, id));
    });
    if (tracked !== null)
      await this.joinTransaction((tx) => requestTrackingRemoval({ tx, queue: this.queue }, id, tracked));
  }

  /** Lists the state of all objects that a run of the pipeline has included so far. */
  listObjects(id: string): Promise<PipelineObject[]> {
    return this.db.select().from(pipelineObjects).where(eq(pipelineObjects.pipeline_id, id));
  }

  /** Counts all known parents of each child object, and the parents whose children are pending. */
  async countParents(id: string): Promise<ReadonlyMap<string, { readonly parents: number; readonly pending: number }>> {
    const pending =
      sql<number>`count(*) filter (where ${childWork.done_version} is distinct from ${childWork.version})`.mapWith(
        Number,
      );
    const rows = await this.db
      .select({ object: childWork.object, parents: count(), pending })
      .from(childWork)
      .where(eq(childWork.pipeline_id, id))
      .groupBy(childWork.object);
    return new Map(rows.map(({ object, ...counts }) => [object, counts]));
  }

  /** Wakes the schedulers. PostgreSQL sends the notification when the transaction commits. */
  async #notifySchedulers(): Promise<void> {
    await this.sql`select pg_notify(${SCHEDULE_CHANNEL}, '')`;
  }

  /** Finds references in the input to resources that do not exist or cannot be used. */
  async findReferenceProblems({ credential_id, destination_id }: Partial<PipelineInput>): Promise<ReferenceProblem[]> {
    const problems =
      credential_id === undefined
        ? []
        : await findCredentialProblems(this.db, credential_id, 'freshdesk_api_key', '/source/credential_id');
    if (destination_id === undefined) return problems;
    const [row] = await this.db
      .select({ id: destinations.id })
      .from(destinations)
      .where(eq(destinations.id, destination_id));
    if (row) return problems;
    const detail = `destination_id: destination ${destination_id} does not exist.`;
    return [...problems, { pointer: '/destination_id', detail }];
  }
}

/**
 * Computes the time of the next run after the schedule or the frequency changes. A shorter interval
 * takes effect at once.
 */
function buildNextRunUpdate(id: string, { schedule, frequency_minutes }: Partial<PipelineInput>): Partial<Pipeline> {
  if (schedule) return { next_run_at: getNextRun(schedule, new Date(), id) ?? NO_NEXT_RUN };
  if (frequency_minutes === undefined && schedule === undefined) return {};
  const interval = sql`make_interval(mins => ${frequency_minutes ?? pipelines.frequency_minutes})`;
  return { next_run_at: sql`least(${pipelines.next_run_at}, now() + ${interval})` as unknown as Date };
}

function buildNextAuditUpdate({ audit_frequency_days }: Partial<PipelineInput>): Partial<Pipeline> {
  if (typeof audit_frequency_days !== 'number') return {};
  return { next_audit_at: sql`now() + make_interval(days => ${audit_frequency_days})` as unknown as Date };
}
