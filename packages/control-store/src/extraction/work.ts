import { settleAll, type Tx } from '../database/database.ts';
import type { UnitFailure } from '../runs/unit-failures.ts';
import type { ObjectRunLease } from './lease.ts';
import type { CompletedUnit, ParentVersion, Step } from './step.ts';

/** Adds parents to the child work, or updates the versions of known parents. */
export async function addChildWork(tx: Tx, pipelineId: string, work: readonly ParentVersion[]): Promise<void> {
  if (work.length === 0) return;
  const inserts = groupByObject(work).map(
    ([object, versions]) => tx`
      insert into freshet.child_work (pipeline_id, object, parent_id, version, changed_at)
      select ${pipelineId}, ${object}, p, v, clock_timestamp()
      from unnest(${[...versions.keys()]}::text[], ${[...versions.values()]}::text[]) as w(p, v)
      order by p
      on conflict (pipeline_id, object, parent_id) do update set version = excluded.version,
        changed_at = excluded.changed_at
      where freshet.child_work.version is distinct from excluded.version`,
  );
  await settleAll(inserts);
}

/**
 * Groups parents by child object, in the order of the objects' names, so that all transactions lock
 * rows in the same order. One statement for each object takes a sixth less time than one statement
 * that receives the object with each parent.
 * @returns object → parent id → version. If a step contains a parent twice, the last version
 * counts.
 */
function groupByObject(work: readonly ParentVersion[]): [object: string, versions: Map<string, string>][] {
  const objects = new Map<string, Map<string, string>>();
  for (const { object, parentId, version } of work) {
    const versions = objects.get(object);
    if (versions === undefined) objects.set(object, new Map([[parentId, version]]));
    else versions.set(parentId, version);
  }
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Marks the children of these parent versions as extracted. A parent that now has a newer version
 * remains pending.
 */
export async function completeChildWork(
  tx: Tx,
  pipelineId: string,
  completed: readonly ParentVersion[],
): Promise<void> {
  if (completed.length === 0) return;
  await tx`
    update freshet.child_work c set done_version = w.v, needs_confirmation = false
    from unnest(${completed.map((w) => w.object)}::text[], ${completed.map((w) => w.parentId)}::text[],
      ${completed.map((w) => w.version)}::text[])
      as w(o, p, v)
    where c.pipeline_id = ${pipelineId} and c.object = w.o and c.parent_id = w.p`;
}

/** Stores the outcomes of an audit's lookups, and counts the outcomes in the object run. */
export async function completeAuditWork(
  tx: Tx,
  lease: ObjectRunLease,
  completed: readonly CompletedUnit[],
): Promise<void> {
  if (completed.length === 0) return;
  const keys = completed.map((unit) => unit.parentId);
  const outcomes = completed.map((unit) => unit.outcome?.name ?? 'read');
  const areFinal = completed.map((unit) => String(unit.outcome?.isFinal ?? false));
  await tx`
    update freshet.audit_work a set outcome = w.o, is_final = w.f::boolean
    from unnest(${keys}::text[], ${outcomes}::text[], ${areFinal}::text[]) as w(k, o, f)
    where a.object_run_id = ${lease.objectRunId} and a.key = w.k`;
  const names = completed.flatMap((unit) => (unit.outcome ? [unit.outcome.name] : []));
  await tx`
    update freshet.object_runs set explained = explained || (
      select coalesce(jsonb_object_agg(o, n + coalesce((explained ->> o)::bigint, 0)), '{}')
      from (select o, count(*) as n from unnest(${names}::text[]) as o group by o) counted
    ) where id = ${lease.objectRunId}`;
}

/**
 * Converts a failed unit to a completed unit with the outcome `unreadable`. The conversion is
 * needed because an audit must account for each of its units. Later runs retry the failed unit.
 */
export function toUnreadableUnit({ object, key }: UnitFailure): CompletedUnit {
  return { object, parentId: key, version: '', outcome: { name: 'unreadable', isFinal: false } };
}

/**
 * Stores the keys of records that were excluded because of an erasure. The children of these
 * records are then excluded too.
 */
export async function addErasedKeys(
  tx: Tx,
  { pipelineId, object }: ObjectRunLease,
  erased: Step['erasedKeys'],
): Promise<void> {
  if (erased.length === 0) return;
  const keys = erased.map((e) => e.key);
  const ownerObjects = erased.map((e) => e.owner.object);
  const ownerKeys = erased.map((e) => e.owner.key);
  await tx`
    insert into freshet.erased_keys (pipeline_id, object, key, erasure_id)
    select distinct on (e.k) ${pipelineId}::uuid, ${object}, e.k, o.erasure_id
    from unnest(${keys}::text[], ${ownerObjects}::text[], ${ownerKeys}::text[]) as e(k, oo, ok)
    join freshet.erased_keys o on o.pipeline_id = ${pipelineId} and o.object = e.oo and o.key = e.ok
    on conflict do nothing`;
}
