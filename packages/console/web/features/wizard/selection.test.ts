import { expect, test } from 'vitest';
import { buildObjectSettings, findPreset, getPresetObjects, toggleObject } from './selection.ts';

const CATALOG = [
  { name: 'tickets', parent: null, included_by_default: true },
  { name: 'conversations', parent: 'tickets', included_by_default: true },
  { name: 'solution_categories', parent: null, included_by_default: false },
  { name: 'solution_folders', parent: 'solution_categories', included_by_default: false },
  { name: 'solution_articles', parent: 'solution_folders', included_by_default: false },
];
const all = () => true;

test('a preset contains only objects that the API key may read', () => {
  expect(getPresetObjects('recommended', CATALOG, all)).toEqual(['tickets', 'conversations']);
  expect(getPresetObjects('everything', CATALOG, (name) => name !== 'tickets')).not.toContain('tickets');
});

test('a selection that equals a preset has its name, and any other selection is custom', () => {
  expect(findPreset(['conversations', 'tickets'], CATALOG, all)).toBe('recommended');
  expect(findPreset(['tickets'], CATALOG, all)).toBe('custom');
});

test('including a child includes all of its parents', () => {
  expect(toggleObject([], 'solution_articles', CATALOG).sort()).toEqual([
    'solution_articles',
    'solution_categories',
    'solution_folders',
  ]);
});

test('excluding a parent excludes its children and grandchildren', () => {
  const selected = ['tickets', 'solution_categories', 'solution_folders', 'solution_articles'];
  expect(toggleObject(selected, 'solution_categories', CATALOG)).toEqual(['tickets']);
});

test('only settings that differ from the defaults are sent', () => {
  const settings = buildObjectSettings(['tickets', 'solution_categories'], CATALOG, {
    detail: ['tickets', 'conversations'],
    history: [],
  });
  expect(settings).toEqual({
    tickets: { included: true, detail: true },
    conversations: { included: false },
    solution_categories: { included: true },
  });
});
