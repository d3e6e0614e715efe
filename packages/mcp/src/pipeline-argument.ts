import type { Freshet, Schemas } from '@freshet/client';
import { z } from 'zod';
import { ToolError } from './tool.ts';

export type Pipeline = Schemas['Pipeline'];

/** The argument that selects a pipeline. */
export const pipelineArgument = z
  .string()
  .max(200)
  .optional()
  .describe('Id or name of the pipeline. Optional if the deployment has only one pipeline.');

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NAMES_MAX = 20;

/**
 * Returns the pipeline with an id or a name.
 * @param value absent: the only pipeline of the deployment.
 * @throws ToolError if no pipeline, or more than one pipeline, matches.
 */
export async function findPipeline(client: Freshet, value: string | undefined): Promise<Pipeline> {
  if (value !== undefined && UUID.test(value))
    return await client.get('/v1/pipelines/{id}', { params: { path: { id: value } } });
  const { data, next_cursor: more } = await client.get('/v1/pipelines', { params: { query: { limit: NAMES_MAX } } });
  const matches = value === undefined ? data : data.filter(({ name }) => name === value);
  if (matches.length === 1 && (value !== undefined || more === null)) return matches[0] as Pipeline;
  if (value !== undefined && matches.length === 0 && more !== null) {
    const named = await client.get('/v1/pipelines', { params: { query: { name: value } } });
    const [first] = named.data;
    if (first !== undefined) return first;
  }
  const names = `Pipelines: ${JSON.stringify(data.map(({ name }) => name))}${more === null ? '' : ' and more'}.`;
  throw new ToolError(
    value === undefined
      ? `pipeline: the deployment has ${data.length === 0 ? 'no pipeline' : 'more than one pipeline. Pass the name of one'}. ${names}`
      : `pipeline: ${JSON.stringify(value)} does not exist. ${names}`,
  );
}
