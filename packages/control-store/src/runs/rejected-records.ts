import { zstdCompressSync } from 'node:zlib';
import { AppError, getTraceparent, locateRecord, parseJson } from '@freshet/contracts';
import type { Fragment, Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { enqueueLoad } from '../queue/jobs.ts';
import { Store } from '../store.ts';
import { finishRunIfComplete } from './completion.ts';

/** A rejected record without its content, because the content is personal data. */
export interface RejectedRecordInfo {
  readonly id: string;
  readonly pipeline_id: string;
  readonly object: string;
  readonly batch_id: string;
  /** Index of the line in the batch, from 0. */
  readonly line: number;
  readonly reason: string;
  readonly created_at: Date;
}

/** Selects rejected records of a pipeline; an empty filter selects all of them. */
export interface RejectedRecordFilter {
  readonly ids?: readonly string[] | undefined;
  readonly object?: string | undefined;
  /** The complete reason, or only its code, which is the part before the colon. */
  readonly reason?: string | undefined;
}

/**
 * The maximum number of records that one request replays. The number is limited because the records
 * are decrypted in memory.
 */
const REPLAYS_MAX = 10_000;

interface SealedRecord {
  readonly id: string;
  readonly object: string;
  readonly raw: string;
  readonly extracted_at: Date;
}

/** Rejected records, which are stored encrypted until a user replays or discards them (I10). */
export class RejectedRecords extends Store {
  async list(
    pipelineId: string,
    { limit, cursor }: ListOptions,
    filter: RejectedRecordFilter,
  ): Promise<List<RejectedRecordInfo>> {
    const sql = this.sql;
    const rows = await sql<RejectedRecordInfo[]>`
      select id, pipeline_id, object, batch_id, line, reason, created_at from freshet.rejected_records
      where ${buildFilter(sql, pipelineId, filter)} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /**
   * Gets a rejected record with its content.
   * @returns the rejected record, where `record` is JSON. If the record could not be parsed,
   * `record` contains the known fields.
   * @throws AppError `not_found`.
   */
  async get(pipelineId: string, id: string): Promise<RejectedRecordInfo & { readonly record: string }> {
    const [row] = await this.sql<(RejectedRecordInfo & { raw: string })[]>`
      select id, pipeline_id, object, batch_id, line, reason, created_at, raw from freshet.rejected_records
      where pipeline_id = ${pipelineId} and id = ${id}`;
    if (!row) throw new AppError('not_found', `Rejected record ${id} does not exist.`);
    const { raw, ...info } = row;
    return { ...info, record: extractRecord(this.box.open(raw, buildRejectedRecordAad(id))) };
  }

  /**
   * Stages rejected records again, unchanged, in a replay run. The load may succeed now, for
   * example because of a different schema policy or a newer release. Records that still cannot be
   * loaded are rejected again.
   * @throws AppError `conflict` when a replay is open, or `not_found` when the pipeline or a
   * matching record does not exist.
   */
  async replay(
    pipelineId: string,
    filter: RejectedRecordFilter,
  ): Promise<{ readonly runId: string; readonly records: number }> {
    return await this.sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
      const [open] = await tx<{ id: string }[]>`
        select id from freshet.runs
        where pipeline_id = ${pipelineId} and kind = 'replay' and status in ('queued', 'running')`;
      if (open) {
        throw new AppError(
          'conflict',
          `Run ${open.id} of this pipeline is already replaying records. Wait until the run finishes.`,
        );
      }
      const rows = await tx<SealedRecord[]>`
        delete from freshet.rejected_records where id in (
          select id from freshet.rejected_records
          where ${buildFilter(tx, pipelineId, filter)} order by id limit ${REPLAYS_MAX} for update
        ) returning id, object, raw, coalesce(extracted_at, created_at) as extracted_at`;
      if (rows.length === 0) throw new AppError('not_found', 'No rejected record matches the filter.');
      const runId = uuidv7();
      await tx`
        insert into freshet.runs (id, pipeline_id, kind, trigger, status, started_at, traceparent)
        values (${runId}, ${pipelineId}, 'replay', 'manual', 'running', now(), ${getTraceparent()})`;
      for (const [object, own] of Map.groupBy(rows, (row) => row.object))
        await this.#stage(tx, { pipelineId, runId, object }, own);
      await finishRunIfComplete({ tx, queue: this.queue }, runId);
      return { runId, records: rows.length };
    });
  }

  /** Deletes rejected records. @returns the number of deleted records. */
  async discard(pipelineId: string, filter: RejectedRecordFilter): Promise<number> {
    const deleted = await this.sql`
      delete from freshet.rejected_records where ${buildFilter(this.sql, pipelineId, filter)}`;
    return deleted.count;
  }

  /**
   * Creates an object run whose extraction is complete, and stores the records as batches of the
   * object run.
   */
  async #stage(
    tx: Tx,
    { pipelineId, runId, object }: { readonly pipelineId: string; readonly runId: string; readonly object: string },
    rows: readonly SealedRecord[],
  ): Promise<void> {
    const objectRunId = uuidv7();
    await tx`
      insert into freshet.object_runs (id, run_id, pipeline_id, object, mode, credit_class, status, started_at,
        extracted_at, records_extracted)
      values (${objectRunId}, ${runId}, ${pipelineId}, ${object}, 'replay', 'by_hand', 'running', now(), now(),
        ${rows.length})`;
    // Records keep their extraction time, so that they do not overwrite newer versions in the table
    // (I4).
    for (const [at, own] of Map.groupBy(rows, (row) => row.extracted_at.getTime())) {
      const lines = own
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(({ id, raw }) => this.box.open(raw, buildRejectedRecordAad(id)));
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      await tx`
        insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body)
        values (${uuidv7()}, ${pipelineId}, ${object}, ${objectRunId}, ${own.length}, ${bytes.length},
          ${new Date(at)}, ${zstdCompressSync(bytes)})`;
    }
    await enqueueLoad({ tx, queue: this.queue }, { pipelineId, object }, null);
  }
}

function buildFilter(sql: Sql | Tx, pipelineId: string, { ids, object, reason }: RejectedRecordFilter): Fragment {
  return sql`pipeline_id = ${pipelineId}
    ${ids === undefined ? sql`` : sql`and id = any(${[...ids]})`}
    ${object === undefined ? sql`` : sql`and object = ${object}`}
    ${reason === undefined ? sql`` : sql`and (reason = ${reason} or split_part(reason, ':', 1) = ${reason})`}`;
}

/** Builds the associated data under which the content of a rejected record is sealed. */
export function buildRejectedRecordAad(id: string): string {
  return `rejected_records/${id}/raw`;
}

/** Extracts the JSON of a record from a line of a batch, without changing any digit of a number. */
function extractRecord(line: string): string {
  const bytes = Buffer.from(line);
  const location = locateRecord(bytes);
  if (location !== null) return bytes.toString('utf8', location.start, location.end);
  // The record could not be parsed. Return the known fields.
  return JSON.stringify((parseJson(line) as { rejected?: { record?: unknown } }).rejected?.record ?? null);
}
