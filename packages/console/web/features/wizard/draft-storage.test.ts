import { expect, test } from 'vitest';
import { deleteDraft, EMPTY_DRAFT, hasDraft, loadDraft, saveDraft } from './draft-storage.ts';

function createStorage(initial: Record<string, string> = {}): Storage {
  const values = new Map(Object.entries(initial));
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
    key: () => null,
    length: 0,
  };
}

test('a draft is stored, resumed and deleted', () => {
  const storage = createStorage();
  saveDraft({ ...EMPTY_DRAFT, name: 'acme', step: 'schedule' }, storage);
  expect(hasDraft(storage)).toBe(true);
  expect(loadDraft(storage)).toMatchObject({ name: 'acme', step: 'schedule' });
  deleteDraft(storage);
  expect(hasDraft(storage)).toBe(false);
});

test('a draft that is damaged or of a different version is discarded', () => {
  expect(loadDraft(createStorage({ 'freshet.pipeline-draft': '{' }))).toEqual(EMPTY_DRAFT);
  expect(loadDraft(createStorage({ 'freshet.pipeline-draft': '{"version":0,"name":"x"}' }))).toEqual(EMPTY_DRAFT);
});
