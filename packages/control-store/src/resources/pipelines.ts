import { AppError, type PipelineStatus } from '@freshet/contracts';
import { count, eq, sql } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import { childWork, destinations, pipelineObjects, pipelines } from '../database/schema.ts';
import { NEVER, nextRun } from '../runs/cron.ts';
import { findCredentialProblems, type ReferenceProblem, rejectReferenceProblems } from './destinations.ts';
import { changeResource, deleteResource, findResource, listResources, refuseConflicts } from './resource.ts';

export type Pipeline = typeof pipelines.$inferSelect;
/** What Freshet keeps of a pipeline beside what its user has said. */
type Kept =
  | 'id'
  | 'created_at'
  | 'updated_at'
  | 'version'
  | 'hash_salt'
  | 'status'
  | 'paused_by'
  | 'quota_told'
  | 'next_run_at'
  | 'next_audit_at'
  | 'next_digest_at';
type Optional = 'priority' | 'schedule' | 'record_spike' | 'monthly_quota';
export type PipelineInput = Omit<Pipeline, Kept | Optional> & Partial<Pick<Pipeline, Optional>>;
export type PipelineObject = typeof pipelineObjects.$inferSelect;

export interface PipelineFilter {
  readonly name?: string | undefined;
  readonly status?: PipelineStatus | undefined;
  readonly subdomain?: string | undefined;
  readonly destination_id?: string | undefined;
}

/** An object whose table was loaded by somebody else, such as by the same pipeline of a control database that is lost. */
export interface AdoptedObject {
  readonly object: string;
  readonly position: Readonly<Record<string, unknown>>;
  readonly completeAsOf: Date;
  readonly completeBackTo: Date;
}

const conflicts = {
  pipelines_name_unique: new AppError('conflict', 'name: another pipeline has this name.', {
    context: { pointer: '/name' },
  }),
  pipelines_one_writer: new AppError(
    'conflict',
    'destination_schema: another pipeline writes this schema with the same table prefix. Choose another schema or prefix.',
    { context: { pointer: '/destination_schema' } },
  ),
};

export class Pipelines {
  readonly #db: Database;
  readonly #sql: Sql;

  constructor(db: Database, sql: Sql) {
    this.#db = db;
    this.#sql = sql;
  }

  /** The first run is due at once. */
  async create(input: PipelineInput): Promise<Pipeline> {
    await rejectReferenceProblems(this.findReferenceProblems(input));
    const [created] = await refuseConflicts(
      this.#db
        .insert(pipelines)
        .values({
          id: uuidv7(),
          ...input,
          next_audit_at: sql`now() + make_interval(days => ${input.audit_frequency_days ?? 7})`,
        })
        .returning(),
      conflicts,
    );
    return created as Pipeline;
  }

  /** Where the reading of a pipeline's objects goes on that it has not read itself. Those that it has stay as they are. */
  async adopt(id: string, objects: readonly AdoptedObject[]): Promise<void> {
    for (const { object, position, completeAsOf, completeBackTo } of objects) {
      await this.#sql`
        insert into freshet.pipeline_objects (pipeline_id, object, position, complete_as_of, complete_back_to, first_read_at)
        values (${id}, ${object}, ${this.#sql.json(position as never)}, ${completeAsOf}, ${completeBackTo}, now()) on conflict do nothing`;
    }
  }

  get(id: string): Promise<Pipeline> {
    return findResource(this.#sql, pipelines, 'pipeline', id);
  }

  list(options: ListOptions, filter: PipelineFilter = {}): Promise<List<Pipeline>> {
    return listResources(this.#sql, pipelines, options, filter);
  }

  async change(id: string, changes: Partial<PipelineInput>, expected: number | null): Promise<Pipeline> {
    await rejectReferenceProblems(this.findReferenceProblems(changes));
    const cron = changes.schedule;
    const sooner = cron
      ? { next_run_at: nextRun(cron, new Date(), id) ?? NEVER }
      : changes.frequency_minutes === undefined && cron === undefined
        ? {}
        : {
            next_run_at:
              sql`least(${pipelines.next_run_at}, now() + make_interval(mins => ${changes.frequency_minutes ?? pipelines.frequency_minutes}))` as unknown as Date,
          };
    const audit =
      typeof changes.audit_frequency_days !== 'number'
        ? {}
        : { next_audit_at: sql`now() + make_interval(days => ${changes.audit_frequency_days})` as unknown as Date };
    return refuseConflicts(
      changeResource(this.#db, pipelines, 'pipeline', id, { ...changes, ...sooner, ...audit }, expected),
      conflicts,
    );
  }

  /** A paused pipeline starts no run, and its run under way reads no further; what is stored is still loaded. */
  setStatus(id: string, status: PipelineStatus, expected: number | null = null): Promise<Pipeline> {
    return changeResource(
      this.#db,
      pipelines,
      'pipeline',
      id,
      { status, paused_by: status === 'paused' ? 'user' : null },
      expected,
    );
  }

  /** Everything that Freshet keeps of it goes; the warehouse's tables stay, they are the user's. */
  async delete(id: string, expected: number | null = null): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await deleteResource(tx as unknown as Database, pipelines, 'pipeline', id, expected);
      // Nobody adds to it any more: who did has held a row of the pipeline's, which is gone.
      await tx.delete(childWork).where(eq(childWork.pipeline_id, id));
    });
  }

  /** What is known of its objects from run to run; an object that was never read is not among them. */
  objectsOf(id: string): Promise<PipelineObject[]> {
    return this.#db.select().from(pipelineObjects).where(eq(pipelineObjects.pipeline_id, id));
  }

  /** Of each object below a parent: how many parents were ever seen, and how many of them wait. */
  async parentsOf(id: string): Promise<ReadonlyMap<string, { readonly parents: number; readonly pending: number }>> {
    const pending =
      sql<number>`count(*) filter (where ${childWork.done_version} is distinct from ${childWork.version})`.mapWith(
        Number,
      );
    const rows = await this.#db
      .select({ object: childWork.object, parents: count(), pending })
      .from(childWork)
      .where(eq(childWork.pipeline_id, id))
      .groupBy(childWork.object);
    return new Map(rows.map(({ object, ...counts }) => [object, counts]));
  }

  /** Finds what the input refers to and does not exist, or cannot be used. */
  async findReferenceProblems({ credential_id, destination_id }: Partial<PipelineInput>): Promise<ReferenceProblem[]> {
    const problems =
      credential_id === undefined
        ? []
        : await findCredentialProblems(this.#db, credential_id, 'freshdesk_api_key', '/source/credential_id');
    if (destination_id === undefined) return problems;
    const [row] = await this.#db
      .select({ id: destinations.id })
      .from(destinations)
      .where(eq(destinations.id, destination_id));
    return row
      ? problems
      : [
          ...problems,
          { pointer: '/destination_id', detail: `destination_id: there is no destination ${destination_id}.` },
        ];
  }
}
