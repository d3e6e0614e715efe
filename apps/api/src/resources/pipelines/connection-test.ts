import { toAppError } from '@freshet/contracts';
import { catalogue, testConnection } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import { type AccountConnection, withFreshdeskClient } from '../../connections/freshdesk.ts';
import type { Deps } from '../../context.ts';
import type { PipelineTestResult } from './connection-test-schemas.ts';

/**
 * Tests the API key of an account, and its access to each object. A failure is part of the result.
 * @throws AppError `not_found` or `invalid_input` for a credential that cannot be used.
 */
export async function testAccount(deps: Deps, account: AccountConnection): Promise<Static<typeof PipelineTestResult>> {
  const { subdomain } = account;
  try {
    const { agent, objects, seesAllTickets } = await withFreshdeskClient(deps, account, (client) =>
      testConnection(client, catalogue),
    );
    const buckets = await deps.store.budgets.listBuckets(subdomain);
    return {
      ok: objects.some(({ verdict }) => verdict === 'available'),
      subdomain,
      agent: { id: agent.id, name: agent.name, ticket_scope: agent.ticketScope },
      sees_all_tickets: seesAllTickets,
      limits: buckets.map(({ bucket, total }) => ({ bucket, credits_per_minute: total })),
      objects: objects.map(({ changedSinceFilter, ...access }) => ({
        ...access,
        changed_since_filter: changedSinceFilter,
      })),
      error: null,
    };
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    if (code === 'not_found' || code === 'invalid_input') throw thrown;
    return {
      ok: false,
      subdomain,
      agent: null,
      limits: [],
      sees_all_tickets: false,
      objects: [],
      error: { code, message },
    };
  }
}
