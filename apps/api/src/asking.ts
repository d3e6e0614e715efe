import { accountAt, FreshdeskClient } from '@freshet/freshdesk-extractor';
import type { Deps } from './app.ts';

export interface Account {
  readonly subdomain: string;
  readonly credential_id: string;
  readonly credit_share_percent: number;
}

/** Asks an account for somebody who waits for the answer: within the pipeline's share of the credits, and with few tries. */
export async function asking<T>({ store, originTemplate }: Deps, account: Account, work: (client: FreshdeskClient) => Promise<T>): Promise<T> {
  const client = new FreshdeskClient({
    account: accountAt(account.subdomain, originTemplate),
    apiKey: await store.credentials.reveal(account.credential_id, 'freshdesk_api_key'),
    budget: store.budgets.forAccount(account.subdomain, account.credit_share_percent),
    creditClass: 'by_hand',
    limits: { tries: 2, timeoutMs: 15_000 },
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
