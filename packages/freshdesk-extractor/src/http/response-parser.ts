import { AppError, isJsonObject, type Json, parseJson, RawObject } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';

/** A record of a list. */
export interface ListedRecord {
  /** The record, byte for byte as the API returned it. */
  readonly raw: RawObject;
  /**
   * The reason why the record cannot be loaded. `raw` then contains only the known fields of the
   * record. Absent: the record can be loaded.
   */
  readonly rejected?: string;
}

/** A record that was requested by its key. */
export interface FetchedRecord extends ListedRecord {
  /** As in {@link ListPage}. */
  readonly serverTime: Date;
}

/** One page of a list. */
export interface ListPage {
  readonly records: readonly ListedRecord[];
  readonly hasNext: boolean;
  /**
   * The query of the next page in a list that is paginated by tokens; null or absent: there is no
   * next page.
   */
  readonly nextQuery?: Readonly<Record<string, string>> | null;
  /**
   * The time of the response, according to the clock that orders all reads of the account (see
   * `SourceClock`).
   */
  readonly serverTime: Date;
}

/** Parses a response that is not a plain list of records. */
export interface ResponseShape {
  readonly parseRecords: NonNullable<ObjectSpec['parseRecords']>;
  readonly getNextQuery: ObjectSpec['getNextQuery'];
}

/** A successful response. */
export interface ApiResponse {
  readonly path: string;
  /** UTF-8. */
  readonly body: Buffer;
  readonly hasNext: boolean;
  readonly serverTime: Date;
}

/**
 * Parses a page of a list.
 * @param shape null if the response is a plain list of records.
 * @throws AppError `source_contract` if the response is not an array of JSON objects;
 * `source_unavailable` if it is not JSON.
 */
export function parsePage(response: ApiResponse, shape: ResponseShape | null): ListPage {
  const { path, body, hasNext, serverTime } = response;
  if (shape !== null) {
    const parsed = parseBody(response);
    // `parseJson` retains numbers that a double cannot represent, so they are serialized unchanged.
    const records = shape.parseRecords(parsed).map((f) => ({ raw: RawObject.parse(Buffer.from(JSON.stringify(f))) }));
    const nextQuery = shape.getNextQuery?.(parsed) ?? null;
    return { records, hasNext: nextQuery !== null, nextQuery, serverTime };
  }
  const objects = rethrowSyntaxError(path, () => RawObject.parseList(body));
  if (objects === null) {
    throw new AppError(
      'source_contract',
      `${path} returned ${describeJson(parseBody(response))} instead of a list of records.`,
    );
  }
  return { records: objects.map((raw) => ({ raw })), hasNext, serverTime };
}

/**
 * Parses a single record.
 * @throws AppError `source_contract` if the response is not a JSON object; `source_unavailable` if
 * it is not JSON.
 */
export function parseRecord(response: ApiResponse): FetchedRecord {
  const { path, body, serverTime } = response;
  try {
    return { raw: rethrowSyntaxError(path, () => RawObject.parse(body)), serverTime };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AppError(
      'source_contract',
      `${path} returned ${describeJson(parseBody(response))} instead of a single record.`,
    );
  }
}

function parseBody({ path, body }: ApiResponse): Json {
  return rethrowSyntaxError(path, () => parseJson(body.toString('utf8')));
}

/** Invalid JSON is transient: a proxy or an overloaded server has sent it. */
function rethrowSyntaxError<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new AppError('source_unavailable', `${path} returned invalid JSON.`, { cause });
  }
}

function describeJson(value: Json): string {
  if (Array.isArray(value)) return 'a list whose elements are not objects';
  if (isJsonObject(value)) return `an object with the keys ${Object.keys(value).slice(0, 5).join(', ') || '(none)'}`;
  return JSON.stringify(value);
}
