import { AppError } from '@freshet/contracts';
import { accountAt, FreshdeskClient } from '@freshet/freshdesk-extractor';
import type { Deps } from '../app.ts';

export interface Account {
  readonly subdomain: string;
  readonly credential_id: string;
  readonly credit_share_percent: number;
}

/** Milliseconds for all requests to Freshdesk of one API call: a client waits for the response. */
const TOTAL_MS = 60_000;

/** Asks an account for somebody who waits for the answer: within the pipeline's share of the credits, and with few tries. */
export async function asking<T>(
  { store, originTemplate }: Deps,
  account: Account,
  work: (client: FreshdeskClient) => Promise<T>,
): Promise<T> {
  const cancel = new AbortController();
  const timeout = new AppError(
    'source_unavailable',
    `The account did not answer all requests within ${TOTAL_MS / 1000} seconds. Try again later.`,
  );
  const timer = setTimeout(() => cancel.abort(timeout), TOTAL_MS);
  const client = new FreshdeskClient({
    account: accountAt(account.subdomain, originTemplate),
    apiKey: await store.credentials.reveal(account.credential_id, 'freshdesk_api_key'),
    budget: store.budgets.forAccount(account.subdomain, account.credit_share_percent),
    creditClass: 'by_hand',
    limits: { tries: 2, timeoutMs: 15_000, bodyMs: 10_000 },
    signals: { cancel: cancel.signal },
  });
  try {
    return await work(client);
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}
