import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '@freshet/contracts';

/**
 * Addresses that a warehouse or a webhook may use only if the operator allows it: this machine, its
 * link-local network, multicast and broadcast addresses, and the metadata services from which cloud
 * machines obtain credentials (OWASP API7:2023, server-side request forgery).
 */
const BLOCKED_RANGES = [
  '0.0.0.0/8', // this host
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local; 169.254.169.254 is the metadata service of most clouds
  '100.100.100.200/32', // the metadata service of Alibaba Cloud
  '192.0.0.192/32', // the metadata service of Oracle Cloud
  '168.63.129.16/32', // the wire server of Azure
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'fd00:ec2::254/128', // the metadata service of AWS
  'ff00::/8',
] as const;

/** Decides which addresses this deployment connects to. */
export interface OutboundPolicy {
  /**
   * Checks an IP address. Accepts every host name, because `lookup` checks the addresses of a name.
   * @throws AppError `address_refused` for a blocked address.
   */
  check(host: string): void;
  /**
   * Works like `dns.lookup`, but fails if the name resolves to a blocked address. Connect to the
   * returned address, because a second lookup of the name could return a different address.
   */
  readonly lookup: LookupFunction;
}

/**
 * @param allowed exceptions to the blocked ranges: addresses and CIDR ranges, separated by
 *   commas; may be empty.
 * @throws AppError `configuration` if an entry is malformed. The message contains the entry.
 */
export function createOutboundPolicy(allowed: string): OutboundPolicy {
  const blocked = buildBlockList(BLOCKED_RANGES);
  const exceptions = buildBlockList(
    allowed
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
  const isBlocked = (address: string) => {
    const unmapped = unmapIpv4(address);
    const family = isIP(unmapped) === 6 ? 'ipv6' : 'ipv4';
    return blocked.check(unmapped, family) && !exceptions.check(unmapped, family);
  };
  const createError = (host: string, address: string) =>
    new AppError(
      'address_refused',
      `${host === address ? address : `${host} (${address})`} is a blocked address of this machine, its network or its cloud provider. An operator can allow the address with FRESHET_ALLOWED_ADDRESSES.`,
    );
  return {
    check: (host) => {
      const literal = host.replace(/^\[(.*)\]$/, '$1');
      if (isIP(literal) !== 0 && isBlocked(literal)) throw createError(literal, literal);
    },
    lookup: (host, options, done) => {
      dnsLookup(host, { ...options, all: true }, (error, addresses) => {
        if (error) return done(error, '', 0);
        const blockedAddress = addresses.find(({ address }) => isBlocked(address));
        if (blockedAddress) return done(createError(host, blockedAddress.address) as NodeJS.ErrnoException, '', 0);
        if (options.all) return (done as unknown as (error: null, all: typeof addresses) => void)(null, addresses);
        const [first] = addresses;
        if (!first) {
          const unresolved = new Error(`${host} does not resolve to an IP address.`);
          return done(Object.assign(unresolved, { code: 'ENOTFOUND' }), '', 0);
        }
        done(null, first.address, first.family);
      });
    },
  };
}

function buildBlockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new AppError(
        'configuration',
        `FRESHET_ALLOWED_ADDRESSES: "${entry}" is not an IP address or a CIDR range. Use a form such as 10.0.0.5 or 10.0.0.0/8.`,
      );
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Converts an IPv4-mapped IPv6 address, in any spelling, to IPv4: `::ffff:7f00:1` is 127.0.0.1. */
function unmapIpv4(address: string): string {
  if (isIP(address) !== 6) return address;
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (!mapped) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
