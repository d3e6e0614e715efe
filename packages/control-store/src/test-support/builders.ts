import type { BatchCounts } from '@freshet/contracts';
import type { LoadOutcome, ObjectRunLease, Step } from '../index.ts';
import type { TestStore } from './store.ts';

/** A parent object and its child object. */
export const OBJECTS = [
  { name: 'lists', creditClass: 'incremental' as const },
  { name: 'children', creditClass: 'children' as const },
];

/** Builds a step without a batch and without work. */
export function buildStep(parts: Partial<Step> = {}): Step {
  return {
    position: { n: 1 },
    customColumns: null,
    batch: null,
    erasedKeys: [],
    childWork: [],
    completedUnits: [],
    failedUnits: [],
    progress: null,
    credits: { incremental: 1 },
    coverage: null,
    isLast: false,
    ...parts,
  };
}

export function buildBatch(records = 3): NonNullable<Step['batch']> {
  return { body: Buffer.from('compressed'), rawBytes: 100, records, generation: null, extractedAt: new Date() };
}

export function buildParent(parentId: string, version: string) {
  return { object: 'children', parentId, version };
}

export function buildCounts(parts: Partial<BatchCounts> = {}): BatchCounts {
  const none = { records: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0, deleted: 0, missing: 0, stale: 0 };
  return { ...none, ...parts };
}

export function buildOutcome(parts: Partial<LoadOutcome>): LoadOutcome {
  return {
    batches: [],
    rejectedRecords: [],
    coverage: null,
    deletionCandidates: [],
    rejectedGenerations: [],
    unconfirmedDeletions: [],
    completion: null,
    schemaChanges: [],
    misfits: [],
    ...parts,
  };
}

/** Starts a sync of `OBJECTS`. */
export async function startRun({ store }: TestStore, pipelineId: string) {
  const { id } = await store.runs.start(pipelineId, 'manual', OBJECTS);
  const run = await store.runs.get(id);
  const getObjectRunId = (name: string) => run.objects.find(({ object }) => object === name)?.id as string;
  return { id, getObjectRunId };
}

export async function acquire({ store }: TestStore, objectRunId: string): Promise<ObjectRunLease> {
  const lease = await store.extraction.acquire(objectRunId);
  if (lease === null) throw new Error(`No lease on object run ${objectRunId} is available.`);
  return lease;
}

/** Acquires the lease on a table, and gets its oldest pending batch. */
export async function acquireBatch({ store }: TestStore, pipelineId: string, object: string) {
  const lease = await store.loading.acquire(pipelineId, object);
  if (lease === null) throw new Error(`No lease on table ${object} is available.`);
  const [batch] = await store.loading.listPendingBatches(lease, 1);
  if (batch === undefined) throw new Error(`Table ${object} has no pending batch.`);
  return { lease, batch };
}

/** Counts the parents whose children are pending. */
export async function countPendingParents({ database: { sql } }: TestStore): Promise<number> {
  const [row] =
    await sql`select count(*)::int as n from freshet.child_work where done_version is distinct from version`;
  return row?.['n'] as number;
}
