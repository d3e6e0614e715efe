import { AppError, ERROR_POLICY } from '@freshet/contracts';

export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one check. */
export interface CheckResult {
  /** A stable name, such as `disk_space`. */
  readonly check: string;
  readonly status: CheckStatus;
  /** The result, or the cause of the problem. */
  readonly message: string;
  /** The action that solves the problem. Null: no action is necessary. */
  readonly remedy: string | null;
}

export interface Check {
  readonly name: string;
  readonly run: () => Promise<CheckOutcome> | CheckOutcome;
}

type CheckOutcome = Omit<CheckResult, 'check'>;

export const ok = (message: string): CheckOutcome => ({ status: 'ok', message, remedy: null });
export const skipped = (message: string): CheckOutcome => ({ status: 'skipped', message, remedy: null });
export const warning = (message: string, remedy: string): CheckOutcome => ({ status: 'warning', message, remedy });
export const failed = (message: string, remedy: string): CheckOutcome => ({ status: 'failed', message, remedy });

/** Remedies that are more specific than the error reference, because the settings are variables. */
const REMEDIES: Readonly<Record<string, string>> = {
  configuration: 'Correct the variable, and run the command again.',
  invalid_input: 'Correct the variable, and run the command again.',
  source_auth: 'Copy the API key from the profile settings of an agent, and set FRESHDESK_API_KEY.',
  source_not_freshdesk: 'Set FRESHDESK_SUBDOMAIN to the part before .freshdesk.com in the address of the account.',
  source_unavailable:
    'Check the network, the proxy in FRESHDESK_ORIGIN if you use one, and https://status.freshworks.com.',
  out_of_credits: 'Another application has used up the rate limit of the account. Run the command again in a minute.',
  address_refused:
    'Use a different address. For separate processes, you can also add the address to FRESHET_ALLOWED_ADDRESSES.',
};

/**
 * Runs the checks at the same time. An error of a check becomes a failed result.
 * @param secrets values that results must not contain.
 */
export async function runChecks(checks: readonly Check[], secrets: readonly string[]): Promise<CheckResult[]> {
  return await Promise.all(
    checks.map(async ({ name, run }) => {
      const { status, message, remedy } = await runCheck(run);
      return {
        check: name,
        status,
        message: redact(message, secrets),
        remedy: remedy === null ? null : redact(remedy, secrets),
      };
    }),
  );
}

async function runCheck(run: Check['run']): Promise<CheckOutcome> {
  try {
    return await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof AppError)) return failed(message, 'Remove the cause, and run the command again.');
    // The remedies of the error reference are Markdown.
    return failed(message, REMEDIES[error.code] ?? ERROR_POLICY[error.code].remedy.replaceAll('`', ''));
  }
}

/** Replaces secrets. Short values are not replaced, because they could be part of a word. */
function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((result, secret) => result.replaceAll(secret, '[redacted]'), text);
}

/** The status of all checks: the worst one. */
export function summarize(results: readonly CheckResult[]): 'ok' | 'warning' | 'failed' {
  if (results.some(({ status }) => status === 'failed')) return 'failed';
  return results.some(({ status }) => status === 'warning') ? 'warning' : 'ok';
}
