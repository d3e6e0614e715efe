import type { Freshet } from '@freshet/client';
import { expect, test } from 'vitest';
import { findPipeline } from './pipeline-argument.ts';

/** A client of a deployment with pipelines of these names. A page of its list has two items. */
function createClient(...names: string[]): Freshet {
  const pipelines = names.map((name) => ({ id: `id of ${name}`, name }));
  const get = async (path: string, { params }: { params: { query?: { name?: string }; path?: { id: string } } }) => {
    if (path === '/v1/pipelines/{id}') return { id: params.path?.id };
    const matching = pipelines.filter(({ name }) => params.query?.name === undefined || name === params.query.name);
    return { data: matching.slice(0, 2), next_cursor: matching.length > 2 ? 'more' : null };
  };
  return { get } as unknown as Freshet;
}

test('finds a pipeline by id, by name on any page, or the only pipeline', async () => {
  const id = '019b8d02-7d40-7a54-9f67-8192a3b4c5d4';
  expect(await findPipeline(createClient(), id)).toMatchObject({ id });
  expect(await findPipeline(createClient('a', 'b', 'c'), 'b')).toMatchObject({ name: 'b' });
  expect(await findPipeline(createClient('a', 'b', 'c'), 'c')).toMatchObject({ name: 'c' });
  expect(await findPipeline(createClient('a'), undefined)).toMatchObject({ name: 'a' });
});

test('returns errors that list the names of the pipelines, and quote all names', async () => {
  await expect(findPipeline(createClient(), undefined)).rejects.toThrow('has no pipeline. Pipelines: [].');
  await expect(findPipeline(createClient('a', 'b'), undefined)).rejects.toThrow(
    'more than one pipeline. Pass the name of one. Pipelines: ["a","b"].',
  );
  await expect(findPipeline(createClient('a', 'b', 'c'), 'x "y"')).rejects.toThrow(
    '"x \\"y\\"" does not exist. Pipelines: ["a","b"] and more.',
  );
});
