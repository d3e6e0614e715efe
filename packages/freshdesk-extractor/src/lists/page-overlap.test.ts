import { RawObject } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { compare, countWindows, NO_PAGE_READ, nextWindow, type Overlap, startOffset } from './page-overlap.ts';

const SIZE = 100;

describe('nextWindow', () => {
  test('each page starts before the end of the page before it and reads at least half a page further, up to 200,000 records', () => {
    let end = 0;
    while (end < 200_000) {
      const window = nextWindow(end, SIZE);
      expect(window.size).toBeLessThanOrEqual(SIZE);
      if (end > 0) expect(startOffset(window)).toBeLessThan(end);
      const next = window.page * window.size;
      expect(next - end).toBeGreaterThan(SIZE / 2);
      end = next;
    }
  });

  test('a list costs one page more in seven at most, and a list of two pages none', () => {
    expect([1, 100, 101, 198].map((records) => countWindows(records, SIZE))).toEqual([1, 1, 2, 2]);
    for (const pages of [20, 100, 1000])
      expect(countWindows(pages * SIZE, SIZE)).toBeLessThanOrEqual(Math.ceil(pages * 1.15));
  });
});

describe('compare', () => {
  const record = (id: number, version = 1) => ({ raw: RawObject.of(Buffer.from(JSON.stringify({ id, version }))) });
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i));
  const step = (overlap: Overlap, records: ReturnType<typeof range>, hasNext: boolean, proof: 'chain' | 'still') =>
    compare(overlap, nextWindow(overlap.end, SIZE), SIZE, { records, hasNext }, ['id'], proof);
  const first = (proof: 'chain' | 'still') => step(NO_PAGE_READ, range(0, 100), true, proof).overlap as Overlap;
  // The second page of this list covers 99 to 197.
  const [START, END] = [99, 198];

  test.each(['chain', 'still'] as const)(
    '%s: a page that begins with the last record of the page before is proof, and that record is not returned twice',
    (proof) => {
      const { overlap, fresh, stepBack } = step(first(proof), range(START, END), true, proof);
      expect(overlap).toMatchObject({ end: END, proven: true });
      expect(fresh).toHaveLength(98);
      expect(stepBack).toBe(false);
    },
  );

  test('chain: records that were created in front of the page are no gap; still: they disprove that the list held still', () => {
    const moved = [record(98), ...range(START, END - 1)];
    expect(step(first('chain'), moved, true, 'chain')).toMatchObject({ overlap: { proven: true }, stepBack: false });
    expect(step(first('still'), moved, true, 'still')).toMatchObject({ overlap: { proven: false }, stepBack: false });
  });

  test.each(['chain', 'still'] as const)(
    '%s: a page without a record of the page before is followed by an earlier one',
    (proof) => {
      const { overlap, stepBack } = step(first(proof), range(START + 2, END + 2), true, proof);
      expect(stepBack).toBe(true);
      expect(startOffset(nextWindow((overlap as Overlap).end, SIZE))).toBeLessThan(START);
    },
  );

  test('chain: a record that has changed connects nothing, because the change may have moved it', () => {
    expect(step(first('chain'), [record(99, 2), ...range(START + 1, END)], true, 'chain').stepBack).toBe(true);
  });

  test.each([
    ['is longer than requested', range(START, END + 1), true],
    ['is shorter than requested although more follow', range(START, END - 1), true],
    ['ends within the page before it', range(0, 99), true],
  ])('a page that %s proves nothing', (_name, records, hasNext) => {
    expect(step(first('still'), records, hasNext, 'still').overlap).toBeNull();
  });
});
