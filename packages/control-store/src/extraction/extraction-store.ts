import {
  type AppError,
  type CreditsSpent,
  type ErrorCode,
  type ObjectRunStatus,
  OPEN_OBJECT_RUN_STATUSES,
} from '@freshet/contracts';
import { Store } from '../store.ts';
import { commitStep } from './commit-step.ts';
import { acquireLease, type ObjectRunLease } from './lease.ts';
import { pauseForBackpressure, type RequeueOptions, requeue, stop } from './slice-end.ts';
import type { ParentVersion, Step } from './step.ts';
import {
  createAuditWorkFetcher,
  createChildWorkFetcher,
  createLookupFetcher,
  type WorkFetcher,
} from './work-fetchers.ts';

/** The state of a parent object in the same run. */
export type ParentState =
  | { readonly state: 'reading'; readonly progress: number | null }
  | { readonly state: 'done'; readonly completeAsOf: Date | null; readonly completeBackTo: Date | null }
  | { readonly state: 'stopped'; readonly status: ObjectRunStatus };

/**
 * The durable state of extract workers. The methods that commit a step or end a slice verify the
 * lease, and commit in one transaction (I1). If the worker has lost the lease, these methods throw
 * `fenced` and change nothing.
 */
export class ExtractionStore extends Store {
  /**
   * Acquires the lease on an object run. Null: nothing is left to extract, or the pipeline is
   * paused.
   */
  acquire(objectRunId: string): Promise<ObjectRunLease | null> {
    return acquireLease(this.sql, this.box, objectRunId);
  }

  /** Commits one step. @returns the id of the batch. Null: the step has no batch. */
  async commitStep(lease: ObjectRunLease, step: Step): Promise<string | null> {
    return await this.sql.begin((tx) => commitStep({ tx, queue: this.queue }, lease, step));
  }

  /** Ends a slice, and enqueues the next slice. */
  async requeue(lease: ObjectRunLease, options: RequeueOptions): Promise<void> {
    await this.sql.begin((tx) => requeue({ tx, queue: this.queue }, lease, options));
  }

  /**
   * Ends a slice because of the backlog of the warehouse, and enqueues the next slice after
   * `afterMs`.
   */
  async pauseForBackpressure(
    lease: ObjectRunLease,
    error: AppError,
    afterMs: number,
    credits: CreditsSpent,
  ): Promise<void> {
    await this.sql.begin((tx) => pauseForBackpressure({ tx, queue: this.queue }, lease, { error, afterMs, credits }));
  }

  /** Stops an object run that cannot continue. */
  async stop(
    lease: ObjectRunLease,
    status: 'failed' | 'forbidden' | 'not_in_plan',
    error: { readonly code: ErrorCode; readonly message: string },
    credits: CreditsSpent,
  ): Promise<void> {
    await this.sql.begin((tx) => stop({ tx, queue: this.queue }, lease, { status, error, credits }));
  }

  /** Gets the size of a pipeline's pending batches as stored (compressed), in bytes. */
  async getUnloadedBytes(lease: ObjectRunLease): Promise<number> {
    const [row] = await this.sql<{ bytes: number }[]>`
      select coalesce(sum(pg_column_size(body)), 0)::float8 as bytes from freshet.batches
      where pipeline_id = ${lease.pipelineId} and loaded_at is null`;
    return row?.bytes ?? 0;
  }

  /** Creates a fetcher for the work units of a child object, an audit or a refresh. */
  createWorkFetcher(lease: ObjectRunLease): WorkFetcher {
    return lease.isAudit ? createAuditWorkFetcher(this.sql, lease) : createChildWorkFetcher(this.sql, lease);
  }

  /** Creates a fetcher for the records whose failed lookups are due for a retry. */
  createLookupFetcher(lease: ObjectRunLease): WorkFetcher {
    return createLookupFetcher(this.sql, lease);
  }

  /**
   * Lists up to three parents whose children could be read before. The extractor requests the
   * children of these parents again to check whether the endpoint works.
   */
  async listReadableParents(lease: ObjectRunLease): Promise<ParentVersion[]> {
    const rows = await this.sql<{ parent_id: string; version: string }[]>`
      select parent_id, version from freshet.child_work
      where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and done_version is not null
        and not exists (
          select from freshet.failed_units f
          where f.pipeline_id = child_work.pipeline_id and f.object = child_work.object and f.key = parent_id
        )
      limit 3`;
    return rows.map(({ parent_id, version }) => ({ object: lease.object, parentId: parent_id, version }));
  }

  /**
   * Gets the number of records that the last successful sync of the object extracted. Null: the
   * object has had no successful sync.
   */
  async getLastRecordCount(lease: ObjectRunLease): Promise<number | null> {
    const [row] = await this.sql<{ records: number }[]>`
      select o.records_extracted::float8 as records
      from freshet.runs r join freshet.object_runs o on o.run_id = r.id and o.object = ${lease.object}
      where r.pipeline_id = ${lease.pipelineId} and r.kind = 'sync' and o.status = 'succeeded'
      order by r.id desc limit 1`;
    return row?.records ?? null;
  }

  /**
   * Stores the expected number of records of the object run, unless the number is already known.
   */
  async setExpectedRecords(lease: ObjectRunLease, records: number): Promise<void> {
    await this.sql`
      update freshet.object_runs set records_expected = ${records}
      where id = ${lease.objectRunId} and records_expected is null`;
  }

  /** Counts the work units that have not been read yet. */
  async countPendingUnits(lease: ObjectRunLease): Promise<number> {
    const [row] = lease.isAudit
      ? await this.sql<{ n: number }[]>`
          select count(*)::int as n from freshet.audit_work
          where object_run_id = ${lease.objectRunId} and outcome is null`
      : await this.sql<{ n: number }[]>`
          select count(*)::int as n from freshet.child_work
          where pipeline_id = ${lease.pipelineId} and object = ${lease.object} 
            and done_version is distinct from version`;
    return row?.n ?? 0;
  }

  /**
   * Of the `complete_as_of` times that syncs of the object stored, gets the latest time that was
   * not in the future when the extraction of its sync finished. Null: no such time is stored.
   */
  async getLastVerifiedCompleteness(lease: ObjectRunLease): Promise<Date | null> {
    const [row] = await this.sql<{ verified: Date | null }[]>`
      select max(complete_as_of) as verified from freshet.object_runs
      where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and mode in ('full', 'incremental')
        and extracted_at is not null and complete_as_of <= extracted_at`;
    return row?.verified ?? null;
  }

  /** Whether all batches of this object run are loaded. */
  async isLoaded(lease: ObjectRunLease): Promise<boolean> {
    const [pending] = await this.sql`
      select 1 from freshet.batches where object_run_id = ${lease.objectRunId} and loaded_at is null limit 1`;
    return pending === undefined;
  }

  /**
   * Gets the state of a child object's parent object in the same run. A parent object that is not
   * part of the run counts as done.
   */
  async getParentState(lease: ObjectRunLease, parent: string): Promise<ParentState> {
    const [row] = await this.sql<
      {
        status: ObjectRunStatus;
        extracted_at: Date | null;
        complete_as_of: Date | null;
        complete_back_to: Date | null;
        progress: number | null;
      }[]
    >`
      select status, extracted_at, complete_as_of, complete_back_to, progress from freshet.object_runs
      where run_id = ${lease.runId} and object = ${parent}`;
    if (!row) return { state: 'done', completeAsOf: null, completeBackTo: null };
    if (row.extracted_at !== null)
      return { state: 'done', completeAsOf: row.complete_as_of, completeBackTo: row.complete_back_to };
    const isOpen = (OPEN_OBJECT_RUN_STATUSES as readonly ObjectRunStatus[]).includes(row.status);
    return isOpen ? { state: 'reading', progress: row.progress } : { state: 'stopped', status: row.status };
  }
}
