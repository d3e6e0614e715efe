import { AppError } from '@freshet/contracts';
import { TooSlowError } from './timeouts.ts';

const UNSENT_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Whether the request never reached the server. Such a request is not charged. */
export function isUnsent(error: unknown): boolean {
  return UNSENT_CODES.has(getNetworkCode(error));
}

/**
 * Converts a network failure to an AppError `source_unavailable` with a remedy. An AppError is
 * returned unchanged.
 */
export function toSourceError(error: unknown, path: string): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof TooSlowError) {
    return new AppError(
      'source_unavailable',
      `The response to ${path} arrived too slowly and was aborted: ${error.message}.`,
      { cause: error },
    );
  }
  const code = getNetworkCode(error);
  if (code === 'ENOTFOUND') {
    return new AppError(
      'source_unavailable',
      'The host name of the account does not resolve. Check the subdomain and the DNS of this machine.',
      { cause: error },
    );
  }
  const reason = code || (error instanceof Error ? error.message : String(error));
  return new AppError('source_unavailable', `${path} did not return a complete response: ${reason}.`, { cause: error });
}

function getNetworkCode(error: unknown): string {
  return (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? '';
}
