import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '@freshet/contracts';

/**
 * Addresses that nobody who may name a warehouse or a webhook should reach through us: this machine itself, its neighbours on
 * the link, and the services by which clouds hand out credentials (OWASP API7:2023, server-side request forgery).
 */
const REFUSED = [
  '0.0.0.0/8', // this host, by another name
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local; 169.254.169.254 is the metadata service of most clouds
  '100.100.100.200/32', // the metadata service of Alibaba Cloud
  '192.0.0.192/32', // of Oracle Cloud
  '168.63.129.16/32', // Azure's wire server
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'fd00:ec2::254/128', // the metadata service of AWS
  'ff00::/8',
] as const;

/** Where this deployment may connect to. */
export interface Outbound {
  /** @throws AppError `address_refused` for an address (not a name) that may not be connected to. */
  check(host: string): void;
  /** As `dns.lookup`, but a name with a refused address does not resolve. What it answers is what is connected to, so a name cannot change in between. */
  readonly lookup: LookupFunction;
}

/**
 * @param allowed what the operator allows all the same: addresses and ranges in CIDR notation, comma-separated; may be empty.
 * @throws AppError `configuration` that names the entry that is neither.
 */
export function outbound(allowed: string): Outbound {
  const refused = blockList(REFUSED);
  const exceptions = blockList(
    allowed
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
  const isRefused = (address: string) => {
    const plain = withoutMapping(address);
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
    return refused.check(plain, family) && !exceptions.check(plain, family);
  };
  const refuse = (host: string, address: string) =>
    new AppError(
      'address_refused',
      `${host === address ? address : `${host} (${address})`} is an address of this deployment's own, which may not be connected to. Its operator can allow it with FRESHET_ALLOWED_ADDRESSES.`,
    );
  return {
    check: (host) => {
      const literal = host.replace(/^\[(.*)\]$/, '$1');
      if (isIP(literal) !== 0 && isRefused(literal)) throw refuse(literal, literal);
    },
    lookup: (host, options, done) => {
      dnsLookup(host, { ...options, all: true }, (error, addresses) => {
        if (error) return done(error, '', 0);
        const bad = addresses.find(({ address }) => isRefused(address));
        if (bad) return done(refuse(host, bad.address) as NodeJS.ErrnoException, '', 0);
        if (options.all) return (done as unknown as (error: null, all: typeof addresses) => void)(null, addresses);
        const [first] = addresses;
        if (!first) return done(Object.assign(new Error(`${host} has no address.`), { code: 'ENOTFOUND' }), '', 0);
        done(null, first.address, first.family);
      });
    },
  };
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new AppError(
        'configuration',
        `FRESHET_ALLOWED_ADDRESSES: "${entry}" is neither an address nor a range such as 10.0.0.0/8.`,
      );
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** `::ffff:127.0.0.1` is 127.0.0.1, and so are its other spellings. */
function withoutMapping(address: string): string {
  if (isIP(address) !== 6) return address;
  const spelled = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(spelled);
  if (!mapped) return spelled;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
