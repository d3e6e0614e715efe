import { AppError, type ErrorCode } from '@freshet/contracts';
import type { Fragment, Sql, Tx } from '../database/database.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { Store } from '../store.ts';
import { addRefreshRequests, type RefreshRequest } from './refreshes.ts';

/** A failed unit, as the API returns it. */
export interface FailedUnitInfo {
  readonly id: string;
  readonly pipeline_id: string;
  readonly object: string;
  /** The key of the parent, or of the record. */
  readonly key: string;
  readonly attempts: number;
  readonly error_code: ErrorCode;
  readonly error_message: string;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
  readonly next_attempt_at: Date;
}

/** Selects failed units of a pipeline; an empty filter selects all of them. */
export interface FailedUnitFilter {
  readonly ids?: readonly string[] | undefined;
  readonly object?: string | undefined;
  readonly errorCode?: string | undefined;
}

/** The maximum number of units that one request retries. */
const RETRIES_MAX = 1000;

/**
 * Failed units, which users can list, retry and discard (I7). Workers retry failed units at growing
 * intervals.
 */
export class FailedUnits extends Store {
  async list(
    pipelineId: string,
    { limit, cursor }: ListOptions,
    filter: FailedUnitFilter,
  ): Promise<List<FailedUnitInfo>> {
    const sql = this.sql;
    const rows = await sql<FailedUnitInfo[]>`
      select id, pipeline_id, object, key, attempts, error_code, error_message, first_failed_at, last_failed_at,
        next_attempt_at
      from freshet.failed_units
      where ${buildFilter(sql, pipelineId, filter)} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /**
   * Retries the units at once, in a refresh run. If more than 1,000 units match, only the 1,000
   * units with the earliest next attempts are retried.
   * @param isParent whether the units of an object are parents whose children are read. Otherwise,
   * the units are records.
   * @returns the refresh run, and the number of units that it retries.
   * @throws AppError `not_found` when no unit matches.
   */
  async retry(
    pipelineId: string,
    filter: FailedUnitFilter,
    isParent: (object: string) => boolean,
  ): Promise<{ readonly runId: string; readonly units: number }> {
    return await this.sql.begin(async (tx) => {
      const rows = await tx<{ object: string; key: string }[]>`
        select object, key from freshet.failed_units where ${buildFilter(tx, pipelineId, filter)}
        order by next_attempt_at, id limit ${RETRIES_MAX}`;
      if (rows.length === 0) throw new AppError('not_found', 'No failed unit matches the filter.');
      const requests = rows.map(
        ({ object, key }): RefreshRequest => ({ object, key, kind: isParent(object) ? 'parent' : 'record' }),
      );
      return { runId: await addRefreshRequests({ tx, queue: this.queue }, pipelineId, requests), units: rows.length };
    });
  }

  /**
   * Discards the units, so that they are no longer retried. Syncs read the children of a discarded
   * parent only after the parent has changed.
   * @returns the number of discarded units.
   */
  async discard(pipelineId: string, filter: FailedUnitFilter): Promise<number> {
    return await this.sql.begin(async (tx) => {
      const rows = await tx<{ object: string; key: string }[]>`
        delete from freshet.failed_units where ${buildFilter(tx, pipelineId, filter)} returning object, key`;
      if (rows.length === 0) return 0;
      await tx`
        update freshet.child_work c set done_version = version, needs_confirmation = false
        from unnest(${rows.map((r) => r.object)}::text[], ${rows.map((r) => r.key)}::text[]) as u(o, k)
        where c.pipeline_id = ${pipelineId} and c.object = u.o and c.parent_id = u.k`;
      return rows.length;
    });
  }
}

function buildFilter(sql: Sql | Tx, pipelineId: string, { ids, object, errorCode }: FailedUnitFilter): Fragment {
  return sql`pipeline_id = ${pipelineId}
    ${ids === undefined ? sql`` : sql`and id = any(${[...ids]})`}
    ${object === undefined ? sql`` : sql`and object = ${object}`}
    ${errorCode === undefined ? sql`` : sql`and error_code = ${errorCode}`}`;
}
