import { listMetrics } from '@freshet/analytics';
import { catalogue } from '@freshet/freshdesk-extractor';
import type { App } from '../../context.ts';
import { operation, response } from '../../http/operation.ts';
import { toCatalogObjectJson } from './json.ts';
import { CatalogObjectList, MetricList } from './schemas.ts';

export function registerCatalogRoutes(app: App): void {
  app.get(
    '/v1/catalog/objects',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listCatalogObjects',
          tags: ['catalog'],
          summary: 'List the objects of the catalog',
          description: 'Lists all objects that Freshet can replicate, with their columns.',
        }),
        response: { 200: response('The objects of the catalog.', CatalogObjectList) },
      },
    },
    async () => ({ data: catalogue.map(toCatalogObjectJson) }),
  );
  app.get(
    '/v1/catalog/metrics',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listMetrics',
          tags: ['catalog'],
          summary: 'List the metrics',
          description: 'Lists the metrics of the analytics models, with their columns and definitions.',
        }),
        response: { 200: response('The metrics.', MetricList) },
      },
    },
    async () => ({ data: listMetrics().map((metric) => ({ ...metric })) }),
  );
}
