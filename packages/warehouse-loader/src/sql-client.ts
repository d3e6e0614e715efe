import { once } from 'node:events';
import { isIP, Socket } from 'node:net';
import postgres from 'postgres';
import { type AddressPolicy, RestrictedSocket, toTlsOptions, type WarehouseAddress } from './address.ts';

export interface SqlClientOptions {
  /** Null: all hosts are allowed. */
  readonly addressPolicy: AddressPolicy | null;
  /** The maximum duration of `work`, in milliseconds. */
  readonly timeoutMs: number;
}

/** The maximum number of connections: one for a transaction, and one for statements beside it. */
const CONNECTIONS_MAX = 2;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_SECONDS = 5;
const CLOSE_TIMEOUT_SECONDS = 5;

/**
 * Runs `work` with a postgres.js client, and closes the connections of the client afterwards. The
 * address policy and TLS are the same as for loads. Statements are not prepared, because a
 * connection pooler may execute each transaction on a different connection.
 * @throws Error of the network, of PostgreSQL or of `work`. `ETIMEDOUT` if `work` takes too long.
 */
export async function withSqlClient<T>(
  address: WarehouseAddress,
  { addressPolicy, timeoutMs }: SqlClientOptions,
  work: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const { host, port, database, username, password } = address;
  // postgres.js does not report every error of its socket function, so the first socket is opened
  // here.
  let openedSocket: Socket | null = await openSocket(address, addressPolicy);
  const takeSocket = async () => {
    const socket = openedSocket ?? (await openSocket(address, addressPolicy));
    openedSocket = null;
    return socket;
  };
  // The type declarations of postgres.js omit the option `socket`.
  const sql = postgres({
    host,
    port,
    database,
    username,
    password,
    ssl: toSqlClientTls(address),
    max: CONNECTIONS_MAX,
    prepare: false,
    connect_timeout: CONNECT_TIMEOUT_MS / 1000,
    keep_alive: KEEP_ALIVE_SECONDS,
    onnotice: () => {},
    connection: { application_name: 'freshet' },
    socket: takeSocket,
  } as postgres.Options<Record<string, never>>);
  let closeTimeout = CLOSE_TIMEOUT_SECONDS;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      closeTimeout = 0;
      reject(Object.assign(new Error('The warehouse did not respond in time.'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(sql), timeout]);
  } finally {
    clearTimeout(timer);
    // The work has sent no statement.
    (openedSocket as Socket | null)?.destroy();
    await sql.end({ timeout: closeTimeout });
  }
}

/** Opens a connected socket. @throws Error of the network or of the address policy. */
async function openSocket({ host, port }: WarehouseAddress, addressPolicy: AddressPolicy | null): Promise<Socket> {
  const socket = addressPolicy === null ? new Socket() : new RestrictedSocket(addressPolicy);
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error('The connection timed out.'), { code: 'ETIMEDOUT' })),
    CONNECT_TIMEOUT_MS,
  );
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return socket;
  } finally {
    clearTimeout(timer);
  }
}

/** Node verifies the certificate for `servername` or, if the host is an IP address, for `host`. */
function toSqlClientTls(address: WarehouseAddress) {
  const options = toTlsOptions(address);
  const { host } = address;
  return options === false ? false : { ...options, host, ...(isIP(host) === 0 ? { servername: host } : {}) };
}
