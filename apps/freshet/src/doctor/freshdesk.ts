import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@freshet/contracts';
import { type CreditBudget, catalogue, FreshdeskClient, testConnection } from '@freshet/freshdesk-extractor';
import { failed, ok, skipped, warning } from './check.ts';
import { compareClocks } from './clock.ts';
import type { DoctorSettings } from './settings.ts';

/** The maximum duration of the test of the account. */
const TIMEOUT_MS = 30_000;
const NO_ACCOUNT = 'FRESHDESK_SUBDOMAIN is not set. Freshet simulates an account.';
const OTHER_ACCOUNTS = 'Each pipeline has its own account.';

/** Tests the API key with the same test as the API, and compares the clocks. */
export class FreshdeskChecks {
  readonly #account: DoctorSettings['account'];
  /** The result without an account. */
  readonly #noAccount: string;
  readonly #test: Promise<Awaited<ReturnType<typeof testAccount>> | null>;

  constructor({ account, isStandalone }: DoctorSettings) {
    this.#account = account;
    this.#noAccount = isStandalone ? NO_ACCOUNT : OTHER_ACCOUNTS;
    this.#test = account === null ? Promise.resolve(null) : testAccount(account);
    // Both checks handle the rejection. This handler prevents an unhandled rejection before that.
    this.#test.catch(() => {});
  }

  async checkKey() {
    const test = await this.#test;
    if (test === null) return skipped(this.#noAccount);
    const { agent, objects, seesAllTickets } = test.result;
    const available = objects.filter(({ verdict }) => verdict === 'available');
    if (available.length === 0)
      return failed(
        `The key of ${agent.name} cannot read any object of the account ${this.#account?.subdomain}.`,
        'Use the API key of an administrator.',
      );
    const forbidden = objects.filter(({ verdict }) => verdict === 'forbidden').map(({ object }) => object);
    if (!seesAllTickets)
      return warning(
        `The key of ${agent.name} cannot read all tickets, because the agent has a restricted ticket scope.`,
        'Use the API key of an agent with global ticket access.',
      );
    if (forbidden.length > 0)
      return warning(
        `The key of ${agent.name} cannot read ${forbidden.join(', ')}.`,
        'If you need these objects, use the API key of an administrator.',
      );
    return ok(`The key of ${agent.name} can read ${available.length} objects of ${this.#account?.subdomain}.`);
  }

  async checkClock() {
    const test = await this.#test.catch(() => undefined);
    if (test === null) return skipped(this.#noAccount);
    if (test === undefined) return skipped('Freshdesk did not respond to the test of the key.');
    return compareClocks('Freshdesk', test.skewMs);
  }
}

async function testAccount(account: NonNullable<DoctorSettings['account']>) {
  const cancel = new AbortController();
  const timer = setTimeout(
    () => cancel.abort(new AppError('source_unavailable', `Freshdesk did not respond within ${TIMEOUT_MS / 1000} s.`)),
    TIMEOUT_MS,
  );
  const client = new FreshdeskClient({
    account,
    apiKey: account.apiKey,
    budget: createBudget(),
    creditClass: 'by_hand',
    limits: { attemptsMax: 2, timeoutMs: 15_000, bodyTimeoutMs: 10_000 },
    signals: { cancelSignal: cancel.signal },
  });
  try {
    const result = await testConnection(client, catalogue);
    return { result, skewMs: client.clock.skewMs };
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}

/**
 * Creates a budget for a few requests. It does not know the requests of other processes, so it only
 * observes `Retry-After`.
 */
function createBudget(): CreditBudget {
  let blockedUntil = 0;
  return {
    take: async () => {
      const waitMs = blockedUntil - Date.now();
      if (waitMs > TIMEOUT_MS) throw new AppError('out_of_credits', 'The rate limit of the account is exhausted.');
      if (waitMs > 0) await sleep(waitMs);
    },
    learn: async () => {},
    block: async (retryAfterMs) => {
      blockedUntil = Date.now() + retryAfterMs;
    },
  };
}
