import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { AppError } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { getObject } from '../catalogue/index.ts';
import { createObjectReader } from '../reader/object-reader.ts';
import { type ClientOptions, FreshdeskClient } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

interface TestAccount extends AsyncDisposable {
  readonly client: FreshdeskClient;
  /** Returns the number of requests that the server has received. */
  readonly countRequests: () => number;
}

const JSON_HEADERS = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };
const COST = { credits: 3, bucket: null };

async function openAccount(handler: Handler, options: Partial<ClientOptions> = {}): Promise<TestAccount> {
  let count = 0;
  const server = createServer((request, response) => handler(request, response, ++count));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    apiKey: 'key',
    budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
    creditClass: 'incremental',
    isKnownHost: true,
    ...options,
    limits: { backoffMs: 1, ...options.limits },
  });
  return {
    client,
    countRequests: () => count,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends headers, then one byte every 20 ms until the connection ends. */
const drip: Handler = (_request, response) => {
  response.writeHead(200, JSON_HEADERS);
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

const list = (client: FreshdeskClient) => client.list('/api/v2/groups', {}, COST);

describe('FreshdeskClient (content encodings)', () => {
  const body = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `Größe ${id}` })));
  test.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
    ['zstd', zstdCompressSync(body)],
    ['identity', Buffer.from(body)],
    ['gzip, br', brotliCompressSync(gzipSync(body))],
  ])(
    'decodes a body in the encoding %s, although the request did not accept this encoding',
    async (encoding, encoded) => {
      await using account = await openAccount((_request, response) =>
        response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': encoding }).end(encoded),
      );
      expect((await list(account.client)).records).toHaveLength(500);
    },
  );

  test('retries a body that does not match its content encoding', async () => {
    await using account = await openAccount((_request, response, count) => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' });
      response.end(count < 3 ? Buffer.from('this is not gzip at all') : gzipSync('[{"id":1}]'));
    });
    expect((await list(account.client)).records).toHaveLength(1);
    expect(account.countRequests()).toBe(3);
  });

  test('retries a truncated gzip body', async () => {
    const complete = gzipSync(body);
    await using account = await openAccount((_request, response, count) => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' });
      response.end(count < 2 ? complete.subarray(0, complete.length >> 1) : complete);
    });
    expect((await list(account.client)).records).toHaveLength(500);
  });

  test('fails without a retry if the content encoding is unknown', async () => {
    await using account = await openAccount((_request, response) =>
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'middle-out' }).end('x'),
    );
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('middle-out'),
    });
    expect(account.countRequests()).toBe(1);
  });

  test('rejects a small body that decodes to a huge body, in bounded memory and without a request for a smaller page (I9)', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('"'), Buffer.alloc(400 * 1024 * 1024, 'a'), Buffer.from('"')]), {
      level: 1,
    });
    await using account = await openAccount(
      (_request, response) => response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }).end(bomb),
      {
        limits: { bodyBytesMax: 16 * 1024 * 1024 },
      },
    );
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    await expect(createObjectReader(account.client, getObject('groups')).list({}, 1)).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringContaining('too large'),
    });
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(
      100 * 1024 * 1024,
    );
    expect(account.countRequests()).toBe(1);
  });
});

describe('FreshdeskClient (transient responses)', () => {
  const maintenancePage: Handler = (_request, response, count) => {
    if (count < 3) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
    else response.writeHead(200, JSON_HEADERS).end('[{"id":1}]');
  };

  test('retries a request if a host that is known to be Freshdesk returns a maintenance page', async () => {
    await using account = await openAccount(maintenancePage);
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('fails without a retry if a host that has never sent a Freshdesk response returns a web page', async () => {
    await using account = await openAccount(maintenancePage, { isKnownHost: false });
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_not_freshdesk',
      message: expect.stringContaining('text/html'),
    });
    expect(account.countRequests()).toBe(1);
  });

  test('treats a host as known after its first response from the API', async () => {
    await using account = await openAccount(
      (request, response, count) => {
        if (count === 1) response.writeHead(404, JSON_HEADERS).end();
        else maintenancePage(request, response, count - 1);
      },
      { isKnownHost: false },
    );
    await expect(list(account.client)).rejects.toMatchObject({ code: 'source_not_found' });
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('does not retry a permanent error', async () => {
    await using account = await openAccount((_request, response) =>
      response.writeHead(415, JSON_HEADERS).end('{"code":"invalid_content"}'),
    );
    await expect(list(account.client)).rejects.toMatchObject({ code: 'source_invalid_request' });
    expect(account.countRequests()).toBe(1);
  });
});

describe('FreshdeskClient (deadlines)', () => {
  test('aborts a slow body at the total deadline, and charges the request', async () => {
    await using account = await openAccount(drip, { limits: { bodyTimeoutMs: 300 } });
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('arrived too slowly'),
    });
    expect(account.countRequests()).toBe(1);
    expect(account.client.creditsSpent).toEqual({ incremental: 3 });
  });

  test('aborts a response whose headers arrive byte by byte', async () => {
    await using account = await openAccount(
      (request) => {
        const { socket } = request;
        socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
        const timer = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      { limits: { timeoutMs: 300 } },
    );
    await expect(list(account.client)).rejects.toMatchObject({ code: 'source_unavailable' });
  });

  test('does not abort a long body that arrives faster than the minimum rate', async () => {
    await using account = await openAccount(
      (_request, response) => {
        response.writeHead(200, JSON_HEADERS);
        let left = 40;
        const timer = setInterval(() => {
          if (left-- > 0) return response.write(' '.repeat(2000));
          clearInterval(timer);
          response.end('[{"id":1}]');
        }, 20);
      },
      // 2000 bytes every 20 ms are a hundred times the minimum rate.
      {
        limits: { bodyTimeoutMs: 50, bytesPerSecondMin: 1000, graceMs: 10 },
        signals: { stopSignal: AbortSignal.abort() },
      },
    );
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('aborts a slow response when the grace period after the stop signal ends, and does not retry the request', async () => {
    const stop = new AbortController();
    await using account = await openAccount(
      (request, response, count) => {
        drip(request, response, count);
        stop.abort();
      },
      { limits: { graceMs: 100 }, signals: { stopSignal: stop.signal } },
    );
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('time slice has ended'),
    });
    expect(account.countRequests()).toBe(1);
    expect(account.client.creditsSpent).toEqual({ incremental: 3 });
  });

  test('fails all pending and later requests with the reason of the cancel signal', async () => {
    const cancel = new AbortController();
    let arrived = 0;
    await using account = await openAccount(
      (request, response, count) => {
        drip(request, response, count);
        if (++arrived === 3) cancel.abort(new AppError('interrupted', 'The worker is shutting down.'));
      },
      { signals: { cancelSignal: cancel.signal } },
    );
    const results = await Promise.allSettled([list(account.client), list(account.client), list(account.client)]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    expect(account.countRequests()).toBe(3);
    await expect(list(account.client)).rejects.toMatchObject({ code: 'interrupted' });
    expect(account.countRequests()).toBe(3);
  });
});
