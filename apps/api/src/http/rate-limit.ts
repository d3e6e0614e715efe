import rateLimit from '@fastify/rate-limit';
import { AppError } from '@freshet/contracts';
import type { App } from '../context.ts';

/**
 * Limits the requests per minute of each token, in this process. Responses have the `RateLimit-*`
 * headers of the third draft of
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
 */
export async function registerRateLimit(app: App, requestsPerMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    // Authentication runs first, so a known token identifies the client. Requests to public routes
    // are counted by address.
    keyGenerator: (request) => request.identity?.id ?? request.ip,
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new AppError(
        'rate_limited',
        `The limit of ${max} requests per minute is exceeded. Retry after the time in Retry-After.`,
        {
          retryAfterMs: ttl,
        },
      ),
  });
}
