import { lookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { AppError } from '@freshet/contracts';
import { afterEach, describe, expect, test } from 'vitest';
import { FileDownloader, type OutboundPolicy } from './file-download.ts';
import { Deadlines } from './timeouts.ts';

const LIMITS = {
  connectTimeoutMs: 10_000,
  timeoutMs: 10_000,
  bodyTimeoutMs: 10_000,
  bytesPerSecondMin: 1024,
  graceMs: 100,
  fileBytesMax: 1024 * 1024,
};
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(
  policy: OutboundPolicy | null = { check: () => {}, lookup },
  allowsPlainHttp = true,
  limits = LIMITS,
): FileDownloader {
  const downloader = new FileDownloader({ policy, limits, deadlines: new Deadlines(limits, {}), allowsPlainHttp });
  closers.push(() => downloader.close());
  return downloader;
}

async function download(downloader: FileDownloader, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of downloader.download(url)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('FileDownloader', () => {
  test('sends neither credentials nor cookies, and follows redirects in the same way (I6)', async () => {
    const requests: IncomingMessage['headers'][] = [];
    const target = await listen((request, response) => {
      requests.push(request.headers);
      response.end('file');
    });
    const first = await listen((request, response) => {
      requests.push(request.headers);
      response.writeHead(307, { location: `http://${target}/b`, 'set-cookie': 'session=1' }).end();
    });
    expect(await download(open(), `http://${first}/a?Signature=s`)).toBe('file');
    expect(requests.map((headers) => Object.keys(headers).sort())).toEqual([
      ['accept', 'connection', 'host', 'user-agent'],
      ['accept', 'connection', 'host', 'user-agent'],
    ]);
  });

  test('stops after three redirects', async () => {
    let requests = 0;
    const host = await listen((_request, response) => {
      requests++;
      response.writeHead(302, { location: '/again' }).end();
    });
    await expect(download(open(), `http://${host}/`)).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(requests).toBe(4);
  });

  test.each([
    ['http://files.example/a', /HTTPS URL/],
    ['ftp://files.example/a', /HTTPS URL/],
    ['https://user:secret@files.example/a', /HTTPS URL/],
    ['file:///etc/passwd', /HTTPS URL/],
    ['/relative', /HTTPS URL/],
  ])('rejects %s if the API uses HTTPS', async (url, message) => {
    const error = await download(open({ check: () => {}, lookup }, false), url).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'source_contract', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('secret');
  });

  test('does not connect to a blocked address, directly, by name, or after a redirect (OWASP API7)', async () => {
    const refusal = new AppError('address_refused', 'blocked');
    const isBlocked = (host: string) => host === '127.0.0.1' || host === 'localhost';
    const policy: OutboundPolicy = {
      check: (host) => {
        if (isBlocked(host)) throw refusal;
      },
      lookup: (host, options, done) => {
        if (host === 'named.example') done(refusal as NodeJS.ErrnoException, '', 0);
        else lookup('127.0.0.1', { ...options, all: true }, (error, addresses) => done(error, addresses));
      },
    };
    let requests = 0;
    const host = await listen((_request, response) => {
      requests++;
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    });
    const port = host.split(':')[1];
    for (const url of [`http://${host}/`, `http://named.example:${port}/`, `http://redirect.example:${port}/`])
      await expect(download(open(policy), url)).rejects.toMatchObject({ code: 'address_refused' });
    expect(requests).toBe(1);
  });

  test('a client without an outbound policy downloads nothing', async () => {
    await expect(download(open(null), 'https://files.example/')).rejects.toMatchObject({ code: 'bug' });
  });

  test('decodes a compressed file, and rejects one that decodes to more than the limit (I9)', async () => {
    const [small, bomb] = [1000, 20 * 1024 * 1024].map((size) => gzipSync(Buffer.alloc(size, 'a')));
    const host = await listen((request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(request.url === '/small' ? small : bomb);
    });
    expect(await download(open(), `http://${host}/small`)).toBe('a'.repeat(1000));
    await expect(download(open(), `http://${host}/bomb`)).rejects.toMatchObject({ code: 'source_too_large' });
  });

  test.each([
    ['damaged gzip', 'source_unavailable', { 'content-encoding': 'gzip' }],
    ['an unknown encoding', 'source_contract', { 'content-encoding': 'compress' }],
  ])('rejects %s', async (_name, code, headers) => {
    const host = await listen((_request, response) => {
      response.writeHead(200, headers).end('not gzip');
    });
    await expect(download(open(), `http://${host}/`)).rejects.toMatchObject({ code });
  });

  test.each([
    [403, 'source_unavailable'],
    [404, 'source_not_found'],
    [410, 'source_not_found'],
    [500, 'source_unavailable'],
    [204, 'source_unavailable'],
  ])('status %i is %s, and the message contains no part of the signed URL but the host (I6)', async (status, code) => {
    const host = await listen((_request, response) => {
      response.writeHead(status).end();
    });
    const error = await download(open(), `http://${host}/path-secret?X-Amz-Signature=secret`).catch((e: unknown) => e);
    expect(error).toMatchObject({ code, message: expect.stringContaining(host) });
    expect((error as Error).message).not.toContain('secret');
  });

  test('aborts a file that arrives more slowly than the minimum rate, but waits for a slow reader', async () => {
    const host = await listen((request, response) => {
      response.writeHead(200);
      response.write('a');
      if (request.url === '/slow') return;
      response.end('b');
    });
    const policy: OutboundPolicy = { check: () => {}, lookup };
    const limits = { ...LIMITS, bodyTimeoutMs: 500 };
    await expect(download(open(policy, true, limits), `http://${host}/slow`)).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('too slowly'),
    });
    const chunks: string[] = [];
    for await (const chunk of open(policy, true, limits).download(`http://${host}/fast`)) {
      chunks.push(chunk.toString());
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, limits.bodyTimeoutMs * 2);
      await promise;
    }
    expect(chunks.join('')).toBe('ab');
  });
});
