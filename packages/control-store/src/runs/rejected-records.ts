import { zstdCompressSync } from 'node:zlib';
import { AppError, parseJson, recordIn, traceparent } from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { sendLoad } from '../work/jobs.ts';
import type { JobQueue } from '../work/queue.ts';
import { finishRunIfDone } from './runs.ts';

/** What is shown of a rejected record; what it holds is personal data, and shown only to those who ask for one. */
export interface RejectedRecordInfo {
  readonly id: string;
  readonly pipeline_id: string;
  readonly object: string;
  readonly batch_id: string;
  /** Line of the batch, from 0. */
  readonly line: number;
  readonly reason: string;
  readonly created_at: Date;
}

/** Which rejected records of a pipeline are meant; all, where nothing is said. */
export interface RejectedFilter {
  readonly ids?: readonly string[] | undefined;
  readonly object?: string | undefined;
  /** The reason, or what stands before its colon. */
  readonly reason?: string | undefined;
}

/** Records replayed at once: their texts are decrypted in memory. */
const REPLAYED_MAX = 10_000;

/** Records that could not be loaded: kept, encrypted, until somebody replays or discards them (I10). */
export class RejectedRecords {
  readonly #sql: Sql;
  readonly #queue: JobQueue;
  readonly #box: SecretBox;

  constructor(sql: Sql, queue: JobQueue, box: SecretBox) {
    this.#sql = sql;
    this.#queue = queue;
    this.#box = box;
  }

  async list(pipelineId: string, options: ListOptions, filter: RejectedFilter): Promise<List<RejectedRecordInfo>> {
    const rows = await this.#sql<RejectedRecordInfo[]>`
      select id, pipeline_id, object, batch_id, line, reason, created_at from freshet.rejected_records
      where ${this.#which(this.#sql, pipelineId, filter)} ${options.cursor === null ? this.#sql`` : this.#sql`and id < ${decodeCursor(options.cursor)}`}
      order by id desc limit ${options.limit + 1}`;
    return toList([...rows], options.limit);
  }

  /** @returns with the JSON text of the record, as far as it is known. */
  async get(pipelineId: string, id: string): Promise<RejectedRecordInfo & { readonly record: string }> {
    const [row] = await this.#sql<(RejectedRecordInfo & { raw: string })[]>`
      select id, pipeline_id, object, batch_id, line, reason, created_at, raw from freshet.rejected_records where pipeline_id = ${pipelineId} and id = ${id}`;
    if (!row) throw new AppError('not_found', `There is no rejected record ${id}.`);
    const { raw, ...info } = row;
    return { ...info, record: recordOf(this.#box.open(raw, boundTo(id))) };
  }

  /**
   * Stages the records again, as they were, in a run of their own: with another schema policy, a repaired rule of the warehouse,
   * or a newer release they may land. Those that do not are rejected records again.
   * @throws AppError `conflict` when a replay is under way, `not_found` when there is nothing to replay.
   */
  async replay(
    pipelineId: string,
    filter: RejectedFilter,
  ): Promise<{ readonly runId: string; readonly records: number }> {
    return await this.#sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `There is no pipeline ${pipelineId}.`);
      const [open] = await tx<{ id: string }[]>`
        select id from freshet.runs where pipeline_id = ${pipelineId} and kind = 'replay' and status in ('queued', 'running')`;
      if (open) throw new AppError('conflict', `Rejected records are being replayed already, by the run ${open.id}.`);
      // Oldest first, as they came.
      const rows = await tx<{ id: string; object: string; raw: string; extracted_at: Date }[]>`
        delete from freshet.rejected_records where id in (
          select id from freshet.rejected_records where ${this.#which(tx, pipelineId, filter)} order by id limit ${REPLAYED_MAX} for update
        ) returning id, object, raw, coalesce(extracted_at, created_at) as extracted_at`;
      if (rows.length === 0) throw new AppError('not_found', 'There is no such rejected record.');
      const runId = uuidv7();
      await tx`
        insert into freshet.runs (id, pipeline_id, kind, trigger, status, started_at, traceparent)
        values (${runId}, ${pipelineId}, 'replay', 'manual', 'running', now(), ${traceparent()})`;
      for (const [object, own] of Map.groupBy(rows, (r) => r.object))
        await this.#stage(tx, pipelineId, runId, object, own);
      await finishRunIfDone(tx, this.#queue, runId);
      return { runId, records: rows.length };
    });
  }

  /** Forgets them. @returns how many. */
  async discard(pipelineId: string, filter: RejectedFilter): Promise<number> {
    const deleted = await this
      .#sql`delete from freshet.rejected_records where ${this.#which(this.#sql, pipelineId, filter)}`;
    return deleted.count;
  }

  async #stage(
    tx: Tx,
    pipelineId: string,
    runId: string,
    object: string,
    rows: readonly { id: string; raw: string; extracted_at: Date }[],
  ): Promise<void> {
    const objectRunId = uuidv7();
    // Read already: what is left is to load it.
    await tx`
      insert into freshet.object_runs (id, run_id, pipeline_id, object, mode, credit_class, status, started_at, extracted_at, records_extracted)
      values (${objectRunId}, ${runId}, ${pipelineId}, ${object}, 'replay', 'by_hand', 'running', now(), now(), ${rows.length})`;
    // Each is as old as when it was read: a newer version that has landed since stays.
    for (const [at, own] of Map.groupBy(rows, (r) => r.extracted_at.getTime())) {
      const lines = own
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(({ id, raw }) => this.#box.open(raw, boundTo(id)));
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      await tx`
        insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body)
        values (${uuidv7()}, ${pipelineId}, ${object}, ${objectRunId}, ${own.length}, ${bytes.length}, ${new Date(at)}, ${zstdCompressSync(bytes)})`;
    }
    await sendLoad(this.#queue, tx, { pipelineId, object }, null);
  }

  #which(sql: Sql | Tx, pipelineId: string, { ids, object, reason }: RejectedFilter) {
    return sql`pipeline_id = ${pipelineId}
      ${ids === undefined ? sql`` : sql`and id = any(${[...ids]})`}
      ${object === undefined ? sql`` : sql`and object = ${object}`}
      ${reason === undefined ? sql`` : sql`and (reason = ${reason} or split_part(reason, ':', 1) = ${reason})`}`;
  }
}

/** What a rejected record's text is sealed for. */
export function boundTo(id: string): string {
  return `rejected_records/${id}/raw`;
}

/** The record's own text, cut out of the line that it was stored in. */
function recordOf(line: string): string {
  const bytes = Buffer.from(line);
  const found = recordIn(bytes);
  if (found !== null) return bytes.toString('utf8', found.start, found.end);
  // A record that could not be read whole: what is known of it.
  return JSON.stringify((parseJson(line) as { rejected?: { record?: unknown } }).rejected?.record ?? null);
}
