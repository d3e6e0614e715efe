import { expect, test } from 'vitest';
import { listChanges } from './changes.ts';

test('only fields that differ are listed', () => {
  expect(listChanges({ a: 1, b: [2], c: 3 }, { a: 1, b: [4], d: null })).toEqual([
    { field: 'b', before: '[2]', after: '[4]' },
    { field: 'c', before: '3', after: '—' },
    { field: 'd', before: '—', after: 'null' },
  ]);
  expect(listChanges(null, null)).toEqual([]);
});
