import type { Sql } from '../database/database.ts';
import { buildQuarantineQuery } from '../runs/unit-failures.ts';
import type { ObjectRunLease } from './lease.ts';
import type { ParentVersion } from './step.ts';

/**
 * Fetches up to `limit` further work units. Each unit is returned once. An empty list means that no
 * units are left.
 */
export type WorkFetcher = (limit: number) => Promise<ParentVersion[]>;

/**
 * Creates a fetcher for the pending parents of a child object. The parents that have waited longest
 * come first. Quarantined parents are omitted.
 */
export function createChildWorkFetcher(sql: Sql, lease: ObjectRunLease): WorkFetcher {
  let after: { readonly changed_at: string; readonly parent_id: string } | null = null;
  return async (limit) => {
    const isAfter =
      after === null
        ? sql``
        : sql`and (changed_at, parent_id) > (${after.changed_at}::text::timestamptz, ${after.parent_id})`;
    const rows = await sql<{ parent_id: string; version: string; changed_at: string; needs_confirmation: boolean }[]>`
      select parent_id, version, changed_at::text, needs_confirmation from freshet.child_work
      where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and done_version is distinct from version
        and not exists (${buildQuarantineQuery(sql, sql`child_work.parent_id`, lease)})
        -- Passed as text: the driver truncates timestamps to milliseconds, so a parent would be
        -- returned twice.
        ${isAfter}
      order by changed_at, parent_id limit ${limit}`;
    const last = rows.at(-1);
    if (last) after = { changed_at: last.changed_at, parent_id: last.parent_id };
    return rows.map(({ parent_id, version, needs_confirmation }) => ({
      object: lease.object,
      parentId: parent_id,
      version,
      needsConfirmation: needs_confirmation,
    }));
  };
}

/**
 * Creates a fetcher for the pending lookups of an audit or a refresh. The `version` of each unit
 * contains the reason for the lookup.
 */
export function createAuditWorkFetcher(sql: Sql, { objectRunId, object }: ObjectRunLease): WorkFetcher {
  let after = '';
  return async (limit) => {
    const rows = await sql<{ key: string; reason: string }[]>`
      select key, reason from freshet.audit_work
      where object_run_id = ${objectRunId} and outcome is null and key > ${after} order by key limit ${limit}`;
    after = rows.at(-1)?.key ?? after;
    return rows.map(({ key, reason }) => ({ object, parentId: key, version: reason }));
  };
}

/** Creates a fetcher for the records whose previous lookup failed and whose next attempt is due. */
export function createLookupFetcher(sql: Sql, { pipelineId, object }: ObjectRunLease): WorkFetcher {
  let after = '';
  return async (limit) => {
    const rows = await sql<{ key: string }[]>`
      select key from freshet.failed_units
      where pipeline_id = ${pipelineId} and object = ${object} and next_attempt_at <= now() and key > ${after}
      order by key limit ${limit}`;
    after = rows.at(-1)?.key ?? after;
    return rows.map(({ key }) => ({ object, parentId: key, version: 'requested' }));
  };
}
