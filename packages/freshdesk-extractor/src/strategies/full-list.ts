import { AppError, batchLine, hasShrunk } from '@freshet/contracts';
import type { Sweep, View } from '../catalogue/define.ts';
import type { ListPage } from '../http/client.ts';
import type { IdSum } from '../lists/id-sum.ts';
import { type Proof, readWhole, startWhole, type WholeState } from '../lists/stable-list.ts';
import { type ObjectReader, recordPage } from '../object-reader.ts';
import type { Page, Position, ReadOptions } from '../page.ts';

/**
 * Reads a list without a usable filter: all of it, on every run. A reading that agreed is a generation, and
 * what it did not see no longer exists — unless it shrank so much that an outage is likelier than a deletion.
 */
export interface SweepPosition extends Position {
  /** The ids of the last agreed reading. */
  readonly last: IdSum | null;
  readonly reading: WholeState | null;
}

export async function* readSweep(
  reader: ObjectReader,
  way: Sweep | null,
  from: SweepPosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const view = reader.object.views[0] as View;
  const last = from?.last ?? null;
  const proof = chooseProof(reader, way);
  const start = from?.reading ?? startWhole(last, proof);
  let read: WholeState = start;
  for await (const step of readWhole(reader, pagesOf(reader, way, view), start, proof)) {
    const generation = generationId(options.readingId, read);
    read = step.state;
    const { serverTime: extractedAt, outcome, state } = step;
    if (outcome === 'next') {
      yield recordPage(reader, options, {
        view,
        records: step.records,
        position: { last, reading: state },
        extractedAt,
        generation,
        ahead: step.ahead,
      });
      continue;
    }
    if (last !== null) assertNotShrunk(reader.object.name, last, state.sum);
    const beganAt = new Date(state.beganAt ?? extractedAt);
    const agreed = outcome === 'agreed';
    const position: SweepPosition = { last: agreed ? state.sum : last, reading: null };
    const records = recordPage(reader, options, { view, records: step.records, position, extractedAt, generation });
    // What an unsettled reading did not see may only have slipped away: nothing is concluded from it this time.
    const lines = agreed
      ? [...records.lines, batchLine({ generation: { id: generation, began_at: beganAt.toISOString() } })]
      : records.lines;
    yield {
      ...records,
      lines,
      reached: { completeAsOf: reader.claim(beganAt), completeBackTo: new Date(0) },
      finished: true,
    };
  }
}

function chooseProof({ object }: ObjectReader, way: Sweep | null): Proof {
  if (way?.paths !== undefined) return 'parts';
  return object.rows === null ? 'still' : 'readings';
}

/** Parts of a list are its pages. */
function pagesOf(
  reader: ObjectReader,
  way: Sweep | null,
  view: View,
): (page: number, size: number) => Promise<ListPage> {
  const paths = way?.paths;
  if (paths === undefined) return (n, size) => reader.list(view.query, n, { size });
  return async (n) => ({ ...(await reader.list(view.query, 1, { path: paths[n - 1] })), hasNext: n < paths.length });
}

function generationId(readingId: string, state: WholeState): string {
  return `${readingId}/${state.reading}`;
}

function assertNotShrunk(name: string, before: IdSum, now: IdSum): void {
  if (hasShrunk(before.count, now.count)) {
    throw new AppError(
      'source_shrunk',
      `The list of ${name} held ${before.count} records and now answers with ${now.count}. Nothing was marked as deleted: ` +
        `a key with fewer rights or an outage looks the same. If they are really gone, restart this object to accept it.`,
    );
  }
}
