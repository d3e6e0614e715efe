import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { AppError } from './errors.ts';

const NAME_MAX = 253;
/**
 * Matches one label of a host name. The standard excludes underscores, but container names can
 * contain them.
 */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/**
 * Matches a last label that resolvers interpret as a number. A name with such a label is an
 * obfuscated IP address: `127.1`, `0x7f000001`.
 */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/i;

/**
 * Validates the host of a TCP connection: a name, an IPv4 address, or an IPv6 address with or
 * without square brackets. Rejects values that PostgreSQL drivers would accept: a list of hosts,
 * and a path (`/run/postgresql`) or an `@name`, with which a driver connects to a socket of this
 * machine.
 * @returns the host without square brackets.
 * @throws AppError `invalid_input` with the reason.
 */
export function parseHost(text: string): string {
  const literal = /^\[(.*)\]$/.exec(text)?.[1];
  if (literal !== undefined) {
    if (isIP(literal) === 6 && !literal.includes('%')) return literal;
    throw createHostError('only an IPv6 address can be in square brackets.');
  }
  if (isIP(text) !== 0 && !text.includes('%')) return text;
  if (text === '') throw createHostError('the value is empty.');
  if (text.length > NAME_MAX) throw createHostError(`a host name has at most ${NAME_MAX} characters.`);
  if (text.startsWith('/') || text.startsWith('@'))
    throw createHostError('connections to sockets of this machine are not allowed.');
  const isAscii = Buffer.byteLength(text) === text.length;
  if (!isAscii) {
    const ascii = domainToASCII(text);
    throw createHostError(
      ascii === '' ? 'the value is not a host name.' : `write the international name in ASCII: ${ascii}.`,
    );
  }
  const labels = text.replace(/\.$/, '').split('.');
  if (labels.every((label) => LABEL.test(label)) && !NUMERIC_LABEL.test(labels.at(-1) as string)) return text;
  throw createHostError(
    'the value is invalid. Remove every part that does not belong to the host, such as a scheme, a user, a port, a path or a list.',
  );
}

function createHostError(reason: string): AppError {
  return new AppError(
    'invalid_input',
    `host must be a host name or an IP address, such as warehouse.example.com: ${reason}`,
  );
}
