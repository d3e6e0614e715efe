import { AppError } from '@freshet/contracts';
import { buildAccount, FreshdeskClient } from '@freshet/freshdesk-extractor';
import type { Deps } from '../context.ts';

/** A Freshdesk account, and the share of its rate limit that requests may use. */
export interface AccountConnection {
  readonly subdomain: string;
  readonly credential_id: string;
  readonly credit_share_percent: number;
}

/** The total timeout for all Freshdesk requests of one API request. */
const TOTAL_TIMEOUT_MS = 60_000;

/**
 * Runs `work` with a client of a Freshdesk account, and closes the client afterwards. The sender of
 * the API request is waiting for the response, so requests to Freshdesk have the most urgent credit
 * class, short timeouts and at most one retry.
 * @throws AppError `not_found` if the credential does not exist, `source_unavailable` if Freshdesk
 * has not responded to all requests after a minute.
 */
export async function withFreshdeskClient<T>(
  { store, originTemplate }: Deps,
  account: AccountConnection,
  work: (client: FreshdeskClient) => Promise<T>,
): Promise<T> {
  const apiKey = await store.credentials.reveal(account.credential_id, 'freshdesk_api_key');
  const cancel = new AbortController();
  const timeout = new AppError(
    'source_unavailable',
    `Freshdesk did not respond to all requests within ${TOTAL_TIMEOUT_MS / 1000} seconds. Try again later.`,
  );
  const timer = setTimeout(() => cancel.abort(timeout), TOTAL_TIMEOUT_MS);
  const client = new FreshdeskClient({
    account: buildAccount(account.subdomain, originTemplate),
    apiKey,
    budget: store.budgets.forAccount(account.subdomain, account.credit_share_percent),
    creditClass: 'by_hand',
    limits: { attemptsMax: 2, timeoutMs: 15_000, bodyTimeoutMs: 10_000 },
    signals: { cancelSignal: cancel.signal },
  });
  try {
    return await work(client);
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}
