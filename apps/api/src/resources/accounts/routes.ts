import { parseSubdomain } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, operation } from '../../http/operation.ts';
import { Budget } from './schemas.ts';

export function accountRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/accounts/:subdomain/budget',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getBudget',
          tags: ['accounts'],
          summary: 'An account’s credits',
          description: 'As they stand now, in each bucket. All pipelines and workers of the account share them.',
        }),
        params: Type.Object({ subdomain: Type.String({ description: 'The account, as `acme`.', maxLength: 255 }) }),
        response: { 200: answer('The budget.', Budget) },
      },
    },
    async (request) => {
      const subdomain = parseSubdomain(request.params.subdomain);
      const buckets = await store.budgets.read(subdomain);
      return {
        subdomain,
        buckets: buckets.map((b) => ({
          bucket: b.bucket,
          unlimited: b.unlimited,
          total: b.total,
          used: b.used,
          window_ends_at: b.windowEndsAt?.toISOString() ?? null,
          blocked_until: b.blockedUntil?.toISOString() ?? null,
          classes: b.classes.map((c) => ({
            class: c.creditClass,
            used: c.used,
            wanted_until: c.wantedUntil?.toISOString() ?? null,
          })),
        })),
      };
    },
  );
}
