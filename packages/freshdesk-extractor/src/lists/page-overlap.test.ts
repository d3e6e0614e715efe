import { RawObject } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import {
  comparePage,
  countWindows,
  getNextWindow,
  getStartOffset,
  INITIAL_OVERLAP,
  type OverlapProof,
  type PageOverlap,
} from './page-overlap.ts';

const SIZE = 100;

describe('getNextWindow and countWindows', () => {
  test('each page starts before the previous page ends, and extends more than half a page beyond that end, for lists of up to 200,000 records', () => {
    let end = 0;
    while (end < 200_000) {
      const window = getNextWindow(end, SIZE);
      expect(window.size).toBeLessThanOrEqual(SIZE);
      if (end > 0) expect(getStartOffset(window)).toBeLessThan(end);
      const next = window.page * window.size;
      expect(next - end).toBeGreaterThan(SIZE / 2);
      end = next;
    }
  });

  test('a list of up to 198 records needs no additional page, and a long list needs at most one additional page for every seven pages', () => {
    expect([1, 100, 101, 198].map((records) => countWindows(records, SIZE))).toEqual([1, 1, 2, 2]);
    for (const pages of [20, 100, 1000])
      expect(countWindows(pages * SIZE, SIZE)).toBeLessThanOrEqual(Math.ceil(pages * 1.15));
  });
});

describe('comparePage', () => {
  const record = (id: number, version = 1) => ({ raw: RawObject.parse(Buffer.from(JSON.stringify({ id, version }))) });
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i));
  const compare = (overlap: PageOverlap, records: ReturnType<typeof range>, hasNext: boolean, proof: OverlapProof) =>
    comparePage(
      overlap,
      getNextWindow(overlap.end, SIZE),
      { records, hasNext },
      { sizeMax: SIZE, primaryKey: ['id'], proof },
    );
  const readFirstPage = (proof: OverlapProof) =>
    compare(INITIAL_OVERLAP, range(0, 100), true, proof).overlap as PageOverlap;
  // The second page of this list covers the offsets 99 to 197.
  const [START, END] = [99, 198];

  test.each(['chain', 'still'] as const)(
    'with the proof "%s", a page that begins with the last record of the previous page satisfies the condition, and comparePage does not return that record again',
    (proof) => {
      const {
        overlap,
        freshRecords: fresh,
        mustStepBack,
      } = compare(readFirstPage(proof), range(START, END), true, proof);
      expect(overlap).toMatchObject({ end: END, isProven: true });
      expect(fresh).toHaveLength(98);
      expect(mustStepBack).toBe(false);
    },
  );

  test('records that are inserted before a page invalidate the proof "still", but not the proof "chain"', () => {
    const moved = [record(98), ...range(START, END - 1)];
    expect(compare(readFirstPage('chain'), moved, true, 'chain')).toMatchObject({
      overlap: { isProven: true },
      mustStepBack: false,
    });
    expect(compare(readFirstPage('still'), moved, true, 'still')).toMatchObject({
      overlap: { isProven: false },
      mustStepBack: false,
    });
  });

  test.each(['chain', 'still'] as const)(
    'with the proof "%s", a page without a record of the previous page causes a step back',
    (proof) => {
      const { overlap, mustStepBack } = compare(readFirstPage(proof), range(START + 2, END + 2), true, proof);
      expect(mustStepBack).toBe(true);
      expect(getStartOffset(getNextWindow((overlap as PageOverlap).end, SIZE))).toBeLessThan(START);
    },
  );

  test('with the proof "chain", a page that shares only a changed record with the previous page causes a step back, because the change may have moved the record', () => {
    expect(compare(readFirstPage('chain'), [record(99, 2), ...range(START + 1, END)], true, 'chain').mustStepBack).toBe(
      true,
    );
  });

  test.each([
    ['is longer than requested', range(START, END + 1), true],
    ['is shorter than requested although more pages follow', range(START, END - 1), true],
    ['ends within the previous page', range(0, 99), true],
  ])('comparePage returns no overlap for a page that %s', (_name, records, hasNext) => {
    expect(compare(readFirstPage('still'), records, hasNext, 'still').overlap).toBeNull();
  });
});
