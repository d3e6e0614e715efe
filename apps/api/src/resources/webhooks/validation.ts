import { AppError, parseHost, toAppError } from '@freshet/contracts';
import type { OutboundPolicy } from '@freshet/runtime';

/**
 * Matches email addresses as defined in https://html.spec.whatwg.org/#valid-e-mail-address, except
 * addresses with characters that `mailto:` reserves.
 */
const EMAIL_ADDRESS = /^[A-Za-z0-9.!#$&'*+/=^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/;

/**
 * Checks the URL of a webhook. Host names are resolved only when a delivery connects to them.
 * @throws AppError `invalid_input` for an unsupported URL, or an address that the deployment does
 * not allow.
 */
export function checkWebhookUrl(outboundPolicy: OutboundPolicy, value: string): void {
  const reject = (problem: string) => {
    throw new AppError('invalid_input', `url ${problem}`);
  };
  if (value.startsWith('mailto:')) {
    if (!isMailtoUrl(value)) reject('must contain plain email addresses after mailto:, separated by commas.');
    return;
  }
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return reject('must be a URL that begins with https:// or http://, or mailto: followed by email addresses.');
  if (url.username !== '' || url.password !== '')
    return reject('must not contain a user name or password. Receivers authenticate deliveries by their signatures.');
  try {
    parseHost(url.hostname.replaceAll('{{secret}}', 'secret'));
    outboundPolicy.check(url.hostname);
  } catch (error) {
    return reject(`is not allowed: ${toAppError(error).message}`);
  }
}

function isMailtoUrl(value: string): boolean {
  return value
    .slice('mailto:'.length)
    .split(',')
    .every((address) => EMAIL_ADDRESS.test(address));
}
