import rateLimit from '@fastify/rate-limit';
import { AppError } from '@freshet/contracts';
import type { App } from '../app.ts';

/**
 * So many requests a minute for each token, in this process. What remains is told by the `RateLimit-*` headers of
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (in its third draft's form).
 */
export async function registerRateLimit(app: App, requestsPerMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    // A token that is not known here was refused before; who needs none is told apart by address.
    keyGenerator: (request) => request.identity?.id ?? request.ip,
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new AppError('rate_limited', `A token may send ${max} requests a minute. Wait for as long as Retry-After says.`, {
        retryAfterMs: ttl,
      }),
  });
}
