import { type LookupFunction, Socket } from 'node:net';

export interface WarehouseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /**
   * `require` encrypts the connection but does not verify the server. `verify-full` also verifies
   * the server's certificate and host name.
   */
  readonly sslMode: 'disable' | 'require' | 'verify-full';
  /**
   * The certificates (PEM) of the CAs that are trusted to sign the server's certificate; null: the
   * CAs that Node.js trusts.
   */
  readonly sslCa?: string | null;
}

/** The hosts to which Freshet may connect. */
export interface AddressPolicy {
  /** @throws AppError if `host` is an IP address that is not allowed. */
  check(host: string): void;
  /** Resolves a host name. Fails if the name resolves to an address that is not allowed. */
  readonly lookup: LookupFunction;
}

/**
 * A socket that checks the address policy when it connects. An earlier check would not be enough,
 * because a host name can resolve to a different address later.
 */
export class RestrictedSocket extends Socket {
  readonly #policy: AddressPolicy;

  constructor(policy: AddressPolicy) {
    super();
    this.#policy = policy;
  }

  // The driver calls this method with a port and a host.
  override connect(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    try {
      this.#policy.check(host);
    } catch (error) {
      return this.destroy(error as Error);
    }
    return super.connect({ port, host, lookup: this.#policy.lookup });
  }
}

/** Returns the TLS options of an address; false: the connection is not encrypted. */
export function toTlsOptions({
  sslMode,
  sslCa,
}: WarehouseAddress): false | { readonly rejectUnauthorized: boolean; readonly ca?: string } {
  if (sslMode === 'disable') return false;
  return { rejectUnauthorized: sslMode === 'verify-full', ...(sslCa ? { ca: sslCa } : {}) };
}
