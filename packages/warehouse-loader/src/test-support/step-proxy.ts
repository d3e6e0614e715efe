import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** What a client sends that makes the server do something, by the first byte of a message: a query, the end of an extended one, COPY's rows and their end. */
const STEPS = new Set(['Q', 'S', 'd', 'c']);

export interface StepProxy extends AsyncDisposable {
  readonly url: string;
  /** Of its client, so far. */
  readonly steps: number;
}

/**
 * Stands between one client and PostgreSQL, and counts what the client asks for (the protocol's messages). When the server has been
 * sent the step of that number, the client hears nothing any more, and `then` is called: the server does what it was asked for, and
 * nobody is there to learn of it.
 * @param url of the server, without TLS.
 */
export async function stepProxy(url: string, last: number, then: () => void): Promise<StepProxy> {
  const to = new URL(url);
  let steps = 0;
  let isCopying = false;
  const server = createServer((client) => {
    const upstream = connect({ host: to.hostname, port: Number(to.port) });
    let started = false;
    let pending = Buffer.alloc(0);
    client.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (steps < last) {
        // The first message has no type.
        const head = started ? 1 : 0;
        if (pending.length < head + 4) return;
        const length = head + pending.readUInt32BE(head);
        if (pending.length < length) return;
        const type = started ? String.fromCharCode(pending[0] as number) : '';
        started = true;
        upstream.write(pending.subarray(0, length));
        pending = pending.subarray(length);
        // Rows are one step, however many pieces they come in.
        if (STEPS.has(type) && !(type === 'd' && isCopying) && ++steps === last) then();
        isCopying = type === 'd';
      }
    });
    upstream.on('data', (bytes) => {
      if (steps < last) client.write(bytes);
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    get steps() {
      return steps;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
