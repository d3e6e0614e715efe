import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { AppError } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { objectNamed } from '../catalogue/index.ts';
import { readerOf } from '../object-reader.ts';
import { type ClientOptions, FreshdeskClient } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

interface Opened extends AsyncDisposable {
  readonly client: FreshdeskClient;
  /** Requests that reached the server. */
  readonly requests: () => number;
}

const JSON_HEADERS = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };
const COST = { credits: 3, bucket: null };

async function open(handler: Handler, options: Partial<ClientOptions> = {}): Promise<Opened> {
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
    requests: () => count,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends headers, then a byte every few milliseconds until the connection ends. */
const drip: Handler = (_request, response) => {
  response.writeHead(200, JSON_HEADERS);
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

const list = (client: FreshdeskClient) => client.list('/api/v2/groups', {}, COST);

describe('content encodings', () => {
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
  ])('a %s body is decoded, although none was requested', async (encoding, encoded) => {
    await using account = await open((_request, response) =>
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': encoding }).end(encoded),
    );
    expect((await list(account.client)).records).toHaveLength(500);
  });

  test('a body that is not what its encoding says is retried', async () => {
    await using account = await open((_request, response, count) => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' });
      response.end(count < 3 ? Buffer.from('this is not gzip at all') : gzipSync('[{"id":1}]'));
    });
    expect((await list(account.client)).records).toHaveLength(1);
    expect(account.requests()).toBe(3);
  });

  test('a gzip body that ends in the middle is retried', async () => {
    const whole = gzipSync(body);
    await using account = await open((_request, response, count) => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' });
      response.end(count < 2 ? whole.subarray(0, whole.length >> 1) : whole);
    });
    expect((await list(account.client)).records).toHaveLength(500);
  });

  test('an encoding that does not exist is named at once', async () => {
    await using account = await open((_request, response) =>
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'middle-out' }).end('x'),
    );
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('middle-out'),
    });
    expect(account.requests()).toBe(1);
  });

  test('a small body that decodes to a huge one is too large at once, in bounded memory, and is not requested in parts', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('"'), Buffer.alloc(400 * 1024 * 1024, 'a'), Buffer.from('"')]), {
      level: 1,
    });
    await using account = await open(
      (_request, response) => response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }).end(bomb),
      {
        limits: { bodyBytesMax: 16 * 1024 * 1024 },
      },
    );
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    await expect(readerOf(account.client, objectNamed('groups')).list({}, 1)).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringContaining('too large'),
    });
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(
      100 * 1024 * 1024,
    );
    expect(account.requests()).toBe(1);
  });
});

describe('responses that pass', () => {
  const page: Handler = (_request, response, count) => {
    if (count < 3) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
    else response.writeHead(200, JSON_HEADERS).end('[{"id":1}]');
  };

  test('a maintenance page is retried on a host that is known to be Freshdesk', async () => {
    await using account = await open(page);
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('a web page is reported at once on a host that has never answered as Freshdesk', async () => {
    await using account = await open(page, { isKnownHost: false });
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_not_freshdesk',
      message: expect.stringContaining('text/html'),
    });
    expect(account.requests()).toBe(1);
  });

  test('a host that has answered as Freshdesk is known from then on', async () => {
    await using account = await open(
      (request, response, count) => {
        if (count === 1) response.writeHead(404, JSON_HEADERS).end();
        else page(request, response, count - 1);
      },
      { isKnownHost: false },
    );
    await expect(list(account.client)).rejects.toMatchObject({ code: 'source_not_found' });
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('a final error is not retried', async () => {
    await using account = await open((_request, response) =>
      response.writeHead(415, JSON_HEADERS).end('{"code":"invalid_content"}'),
    );
    await expect(list(account.client)).rejects.toMatchObject({ code: 'source_invalid_request' });
    expect(account.requests()).toBe(1);
  });
});

describe('deadlines', () => {
  test('a body that arrives a byte at a time is aborted by the total deadline, and is charged', async () => {
    await using account = await open(drip, { limits: { bodyMs: 300 } });
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('arrived too slowly'),
    });
    expect(account.requests()).toBe(1);
    expect(account.client.creditsSpent).toEqual({ incremental: 3 });
  });

  test('headers that arrive a byte at a time are aborted', async () => {
    await using account = await open(
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

  test('a long body that arrives steadily exceeds no deadline, however long it takes', async () => {
    await using account = await open(
      (_request, response) => {
        response.writeHead(200, JSON_HEADERS);
        let left = 40;
        const timer = setInterval(() => {
          if (left-- > 0) return response.write(' '.repeat(2000));
          clearInterval(timer);
          response.end('[{"id":1}]');
        }, 20);
      },
      // 2000 bytes every 20 ms are a hundred times what is demanded.
      { limits: { bodyMs: 50, bytesPerSecondMin: 1000, graceMs: 10 }, signals: { ending: AbortSignal.abort() } },
    );
    expect((await list(account.client)).records).toHaveLength(1);
  });

  test('the end of a slice aborts a slow response after the grace period and does not retry it', async () => {
    const ending = new AbortController();
    await using account = await open(
      (request, response, count) => {
        drip(request, response, count);
        ending.abort();
      },
      { limits: { graceMs: 100 }, signals: { ending: ending.signal } },
    );
    await expect(list(account.client)).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('time slice has ended'),
    });
    expect(account.requests()).toBe(1);
    expect(account.client.creditsSpent).toEqual({ incremental: 3 });
  });

  test('a cancellation aborts every request with its own error', async () => {
    const cancel = new AbortController();
    let arrived = 0;
    await using account = await open(
      (request, response, count) => {
        drip(request, response, count);
        if (++arrived === 3) cancel.abort(new AppError('interrupted', 'The worker is shutting down.'));
      },
      { signals: { cancel: cancel.signal } },
    );
    const results = await Promise.allSettled([list(account.client), list(account.client), list(account.client)]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    expect(account.requests()).toBe(3);
    await expect(list(account.client)).rejects.toMatchObject({ code: 'interrupted' });
    expect(account.requests()).toBe(3);
  });
});
