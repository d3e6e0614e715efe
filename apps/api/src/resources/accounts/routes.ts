import { parseSubdomain } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, response } from '../../http/operation.ts';
import { Budget } from './schemas.ts';

export function registerAccountRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/accounts/:subdomain/budget',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getBudget',
          tags: ['accounts'],
          summary: 'Get the credits of an account',
          description:
            'Returns the current credits in each bucket of a Freshdesk account. All pipelines and workers of the account share these credits.',
        }),
        params: Type.Object({
          subdomain: Type.String({ description: 'The account, such as `acme`.', maxLength: 255 }),
        }),
        response: { 200: response('The credits.', Budget) },
      },
    },
    async (request) => {
      const subdomain = parseSubdomain(request.params.subdomain);
      const buckets = await store.budgets.listBuckets(subdomain);
      return {
        subdomain,
        buckets: buckets.map((bucket) => ({
          bucket: bucket.bucket,
          unlimited: bucket.isUnlimited,
          total: bucket.total,
          used: bucket.used,
          window_ends_at: bucket.windowEndsAt?.toISOString() ?? null,
          blocked_until: bucket.blockedUntil?.toISOString() ?? null,
          classes: bucket.classes.map((usage) => ({
            class: usage.creditClass,
            used: usage.used,
            wanted_until: usage.reservedUntil?.toISOString() ?? null,
          })),
        })),
      };
    },
  );
}
