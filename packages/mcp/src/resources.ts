import type { Freshet } from '@freshet/client';
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { findPipeline } from './pipeline-argument.ts';

const JSON_TYPE = 'application/json';
const PIPELINES_MAX = 50;

/** Registers the catalogue of objects, the definitions of the metrics, and the pipelines. */
export function registerResources(server: McpServer, client: Freshet): void {
  server.registerResource(
    'catalogue',
    'freshet://catalogue',
    {
      title: 'Catalogue of objects',
      description: 'The Freshdesk objects that Freshet replicates.',
      mimeType: JSON_TYPE,
    },
    async (uri) => {
      const objects = await listObjects(client);
      return toJson(
        uri,
        objects.map(({ name, title, description, parent, primary_key, included_by_default }) => ({
          name,
          title,
          description,
          parent,
          primary_key,
          included_by_default,
          resource: `freshet://catalogue/${name}`,
        })),
      );
    },
  );
  server.registerResource(
    'object',
    new ResourceTemplate('freshet://catalogue/{object}', { list: undefined }),
    { title: 'Object', description: 'An object of the catalogue, with its documented columns.', mimeType: JSON_TYPE },
    async (uri, { object }) => {
      const found = (await listObjects(client)).find(({ name }) => name === object);
      if (found === undefined) throw new ResourceNotFoundError(uri.href);
      return toJson(uri, found);
    },
  );
  server.registerResource(
    'metrics',
    'freshet://metrics',
    {
      title: 'Metric definitions',
      description: 'The metrics of the analytics models: model, column and definition.',
      mimeType: JSON_TYPE,
    },
    async (uri) => toJson(uri, (await client.get('/v1/catalog/metrics')).data),
  );
  server.registerResource(
    'pipeline',
    new ResourceTemplate('freshet://pipelines/{id}', { list: () => listPipelines(client) }),
    { title: 'Pipeline', description: 'The settings and the state of a pipeline.', mimeType: JSON_TYPE },
    async (uri, { id }) => toJson(uri, await findPipeline(client, String(id))),
  );
}

async function listObjects(client: Freshet) {
  return (await client.get('/v1/catalog/objects')).data;
}

async function listPipelines(client: Freshet) {
  const { data } = await client.get('/v1/pipelines', { params: { query: { limit: PIPELINES_MAX } } });
  return {
    resources: data.map(({ id, name }) => ({ name, uri: `freshet://pipelines/${id}`, mimeType: JSON_TYPE })),
  };
}

function toJson(uri: URL, value: unknown) {
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(value) }] };
}
