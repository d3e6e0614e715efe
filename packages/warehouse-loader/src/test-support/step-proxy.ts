import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/**
 * The types (first bytes) of client messages that cause the server to act: a query (`Q`), the end
 * of an extended query (`S`), rows of a COPY (`d`) and the end of a COPY (`c`).
 */
const STEP_TYPES = new Set(['Q', 'S', 'd', 'c']);

export interface StepProxy extends AsyncDisposable {
  readonly url: string;
  /** The number of protocol steps so far. */
  readonly steps: number;
}

/**
 * Starts a proxy between one client and PostgreSQL that counts the client's protocol steps. After
 * the proxy has sent step number `stopAfter` to the server, it calls `onStop` and forwards nothing
 * more in either direction. The server executes this step, but the client never receives the
 * response.
 * @param url the URL of a server without TLS.
 */
export async function startStepProxy(url: string, stopAfter: number, onStop: () => void): Promise<StepProxy> {
  const target = new URL(url);
  let steps = 0;
  let isCopying = false;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let hasStarted = false;
    let pending = Buffer.alloc(0);
    client.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (steps < stopAfter) {
        // The startup message, which is the first message of a connection, has no type byte.
        const typeLength = hasStarted ? 1 : 0;
        if (pending.length < typeLength + 4) return;
        const length = typeLength + pending.readUInt32BE(typeLength);
        if (pending.length < length) return;
        const type = hasStarted ? String.fromCharCode(pending[0] as number) : '';
        hasStarted = true;
        upstream.write(pending.subarray(0, length));
        pending = pending.subarray(length);
        // Consecutive chunks of COPY rows count as one step.
        if (STEP_TYPES.has(type) && !(type === 'd' && isCopying) && ++steps === stopAfter) onStop();
        isCopying = type === 'd';
      }
    });
    upstream.on('data', (bytes) => {
      if (steps < stopAfter) client.write(bytes);
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxied = new URL(url);
  proxied.port = String((server.address() as AddressInfo).port);
  return {
    url: proxied.href,
    get steps() {
      return steps;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
