import { catalogue } from '@freshet/freshdesk-extractor';
import { expect, test } from 'vitest';
import { groupObjects } from './groups.ts';

test('every object of the catalog belongs to a group', () => {
  const names = catalogue.map(({ name }) => name);
  const groups = groupObjects(names, (name) => name);
  expect(groups.map(({ title }) => title)).not.toContain('Other');
  expect(groups.flatMap(({ rows }) => rows).sort()).toEqual(names.toSorted());
});

test('an unknown object is displayed in the last group', () => {
  expect(groupObjects(['tickets', 'new_object'], (name) => name).at(-1)).toEqual({
    title: 'Other',
    rows: ['new_object'],
  });
});
