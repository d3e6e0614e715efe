import {
  AppError,
  type JsonObject,
  type LinePieces,
  parseJson,
  RawObject,
  recordIn,
  recordLine,
} from '@freshet/contracts';
import type { ObjectReader } from '../object-reader.ts';
import { type FailedUnit, type Page, type Position, page, textOf } from '../page.ts';
import { FailureJudge, failedUnit, isReadable, isUnitError } from '../strategies/unit-failures.ts';

/**
 * Completes the records of a reading by what only their own address shows (attachments of a ticket, tags of a contact, members
 * of a group): one more call for each.
 *
 * A page of a hundred records may cost more credits than a minute has. What of it was completed is stored when they run
 * out, and whoever goes on asks for the rest only. A record whose own address keeps failing is loaded as the list shows it, and is reported
 * as a failed unit.
 */
interface DetailPosition extends Position {
  /** `<key>@<version>` of those records of the page under way that are stored. */
  readonly detailed: readonly string[];
  /** Where the reading itself stood before that page; null: at its beginning. */
  readonly within: Position | null;
}

const IN_FLIGHT = 8;
const REJECTED = Buffer.from('{"rejected":');

/** The reading's own position; a page that was being completed is read again when the choice is taken back in the middle of it. */
export function withoutDetail(position: Position | null): Position | null {
  return position !== null && 'detailed' in position ? (position as DetailPosition).within : position;
}

/** @param read reads on from a position. */
export async function* withDetail(
  reader: ObjectReader,
  from: Position | null,
  read: (from: Position | null) => AsyncGenerator<Page>,
): AsyncGenerator<Page> {
  const underWay = from !== null && 'detailed' in from ? (from as DetailPosition) : null;
  const done = new Set(underWay?.detailed);
  let before = underWay === null ? from : underWay.within;
  const readable: { key: string | null } = { key: null };
  for await (const whole of read(before)) {
    const { lines, ids, units, failed } = await complete(reader, whole.lines, done, readable);
    const records = lines.filter(({ isRecord }) => isRecord).length;
    const kept = lines.map(({ line }) => line);
    if (failed !== null) {
      const position: DetailPosition = { detailed: [...done], within: before };
      yield page({
        position,
        lines: kept,
        records,
        extractedAt: whole.extractedAt,
        generation: whole.generation,
        failed: units,
      });
      throw failed;
    }
    yield { ...whole, lines: kept, records, failed: [...whole.failed, ...units] };
    before = whole.position;
    // What came before the page under way may come again first, so only what this page held is done with.
    for (const id of ids) done.delete(id);
  }
}

interface Completed {
  readonly line: LinePieces;
  readonly isRecord: boolean;
}

interface Waiting {
  readonly id: string;
  readonly key: string;
  readonly raw: RawObject;
  readonly line: LinePieces;
}

/**
 * Adds to `done` what it completes. Lines that are no records come last, and only when all records are complete.
 * @param readable the key of a record whose lookup succeeded last.
 */
async function complete(
  reader: ObjectReader,
  lines: readonly LinePieces[],
  done: Set<string>,
  readable: { key: string | null },
): Promise<{ lines: Completed[]; ids: string[]; units: FailedUnit[]; failed: unknown }> {
  const ids: string[] = [];
  const completed: Completed[] = [];
  const others: Completed[] = [];
  const waiting: Waiting[] = [];
  for (const line of lines) {
    const bytes = Buffer.concat(line);
    const found = recordIn(bytes);
    if (found === null) {
      others.push({ line, isRecord: bytes.subarray(0, REJECTED.length).equals(REJECTED) });
      continue;
    }
    const raw = RawObject.of(bytes, found.start, found.end);
    const id = `${reader.object.primaryKey.map((k) => textOf(raw.get(k))).join('/')}@${textOf(raw.get('updated_at'))}`;
    ids.push(id);
    // Records in the trash have no address that answers.
    if (found.deleted !== null) completed.push({ line, isRecord: true });
    else if (!done.has(id))
      waiting.push({ id, key: textOf(raw.get(reader.object.primaryKey[0] as string)), raw, line });
  }
  let failed: unknown = null;
  const units: FailedUnit[] = [];
  const failing = new Map<string, Waiting>();
  const judge = new FailureJudge(async () => (readable.key === null ? null : isReadable(reader, readable.key)));
  const setAside = (own: readonly FailedUnit[]) => {
    for (const unit of own) {
      const { id, line } = failing.get(unit.key) as Waiting;
      completed.push({ line, isRecord: true });
      done.add(id);
      units.push(unit);
    }
  };
  const fail = async (next: Waiting, error: unknown) => {
    if (!isUnitError(error)) throw error;
    failing.set(next.key, next);
    setAside(await judge.failed(failedUnit(reader.object.name, next.key, error), error));
  };
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && failed === null; next = waiting.shift()) {
      const item = next;
      try {
        const line = await completeOne(reader, item).catch((error: unknown) => fail(item, error));
        if (line === undefined) continue;
        completed.push({ line, isRecord: true });
        done.add(item.id);
        readable.key = item.key;
        setAside(judge.succeeded());
      } catch (error) {
        failed = failed ?? error;
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  try {
    if (failed === null) setAside(await judge.finished());
  } catch (error) {
    failed = error;
  }
  return { lines: failed === null ? [...completed, ...others] : completed, ids, units, failed };
}

async function completeOne(
  reader: ObjectReader,
  { raw, line }: { readonly raw: RawObject; readonly line: LinePieces },
): Promise<LinePieces> {
  try {
    const own = await reader.view(textOf(raw.get(reader.object.primaryKey[0] as string)));
    if (own === null) return line;
    // The later answer, and all that the list embeds beyond it.
    const merged: JsonObject = {
      ...(parseJson(String(raw.bytes)) as JsonObject),
      ...(parseJson(String(own.raw.bytes)) as JsonObject),
    };
    return recordLine(Buffer.from(JSON.stringify(merged)), null);
  } catch (error) {
    // What the key may not see of it stays as the list shows it.
    if (error instanceof AppError && error.code === 'source_forbidden') return line;
    throw error;
  }
}
