import { AppError, RawObject } from '@freshet/contracts';
import type { ListedRecord, ListPage } from '../http/response-parser.ts';

/**
 * The smaller page sizes that Freshet requests, in this order, if a page is too large for one
 * response.
 */
const PART_SIZES = [50, 25, 5, 1] as const;

export interface PartRequests {
  /** @param isBare whether to leave out embedded resources, which makes the response smaller. */
  readonly request: (page: number, size: number, isBare: boolean) => Promise<ListPage>;
  /**
   * Whether to return only the first part. The caller then continues from the last record of that
   * part.
   */
  readonly allowShortPage: boolean;
}

export function isTooLarge(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'source_too_large';
}

/**
 * Reads a page that is too large for one response as several smaller pages, which cover the same
 * offsets. A single record that is too large becomes a rejected record with the fields that the
 * list returns without embedded resources.
 * @param error the error from the request for the complete page.
 */
export async function readInParts(
  requests: PartRequests,
  page: number,
  size: number,
  error: AppError,
): Promise<ListPage> {
  if (size === 1) return readRejectedRecord(requests, page, error);
  const partSize = PART_SIZES.find((s) => s < size) as number;
  const [start, end] = [(page - 1) * size, page * size];
  const records: ListedRecord[] = [];
  for (let part = Math.floor(start / partSize) + 1; ; part++) {
    const response = await requests.request(part, partSize, false).catch((partError: unknown) => {
      if (isTooLarge(partError)) return readInParts(requests, part, partSize, partError);
      throw partError;
    });
    // The first and the last part may extend beyond the page.
    const offset = (part - 1) * partSize;
    records.push(...response.records.slice(Math.max(0, start - offset), end - offset));
    const isLastPart = offset + partSize >= end;
    const hasNext = response.hasNext || offset + response.records.length > end;
    if (isLastPart || !response.hasNext || (requests.allowShortPage && records.length > 0))
      return { ...response, records, hasNext };
  }
}

async function readRejectedRecord({ request }: PartRequests, page: number, error: AppError): Promise<ListPage> {
  const { records, hasNext, serverTime } = await request(page, 1, true).catch((bareError: unknown): ListPage => {
    if (!isTooLarge(bareError)) throw bareError;
    // Not even the key of the record is known.
    return {
      records: [{ raw: RawObject.parse(Buffer.from('{}')) }],
      hasNext: error.context['hasNext'] === true,
      serverTime: new Date(),
    };
  });
  return { records: records.map((record) => ({ ...record, rejected: 'too_large' })), hasNext, serverTime };
}
