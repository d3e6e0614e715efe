import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { AppError } from './errors.ts';

const NAME_MAX = 253;
/** A label of a host name. Underscores are no part of the standard, and names of containers have them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** A last label of which resolvers make a number, and an address that nobody reads in it: `127.1`, `0x7f000001`. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/i;

/**
 * The host of a connection over TCP: a name, an IPv4 address, or an IPv6 address with or without brackets. PostgreSQL's drivers take
 * other values as well: a path (`/run/postgresql`) or `@name` reaches a socket of the machine itself, a list several hosts.
 * @returns the host without brackets, for a connection.
 * @throws AppError `invalid_input` with the reason.
 */
export function parseHost(text: string): string {
  const literal = /^\[(.*)\]$/.exec(text)?.[1];
  if (literal !== undefined) {
    if (isIP(literal) === 6 && !literal.includes('%')) return literal;
    throw refusal('only an IPv6 address has brackets.');
  }
  if (isIP(text) !== 0 && !text.includes('%')) return text;
  if (text === '') throw refusal('it is empty.');
  if (text.length > NAME_MAX) throw refusal(`a host name has at most ${NAME_MAX} characters.`);
  if (text.startsWith('/') || text.startsWith('@')) throw refusal('sockets of the machine are not connected to.');
  const isAscii = Buffer.byteLength(text) === text.length;
  if (!isAscii) {
    const ascii = domainToASCII(text);
    throw refusal(ascii === '' ? 'it is no host name.' : `write an international name in ASCII: ${ascii}.`);
  }
  const labels = text.replace(/\.$/, '').split('.');
  if (labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) as string)) return text;
  throw refusal(
    'it has a part that is neither of a host name nor of an IP address, such as a scheme, a user, a port, a path or a list.',
  );
}

function refusal(why: string): AppError {
  return new AppError(
    'invalid_input',
    `host must be a host name or an IP address, such as warehouse.example.com: ${why}`,
  );
}
