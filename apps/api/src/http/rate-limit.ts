import rateLimit from '@fastify/rate-limit';
import { AppError } from '@freshet/contracts';
import type { App } from '../context.ts';

/**
 * Limits the requests that each token can send to this process per minute. Responses contain the
 * `RateLimit-*` headers of the third draft of
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
 */
export async function registerRateLimit(app: App, requestsPerMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    // Authentication runs first, so requests with a valid token are counted per token. Requests to
    // public routes are counted per IP address.
    keyGenerator: (request) => request.identity?.id ?? request.ip,
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new AppError(
        'rate_limited',
        `The limit of ${max} requests per minute is exceeded. Wait for the time in the Retry-After header, then repeat the request.`,
        {
          retryAfterMs: ttl,
        },
      ),
  });
}
