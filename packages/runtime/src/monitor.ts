import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '@freshet/contracts';
import type { Metrics } from './metrics.ts';

export interface MonitorOptions {
  readonly host: string;
  /** Undefined: the monitor is disabled. */
  readonly port: number | undefined;
  readonly metrics: Metrics;
  /** Updates gauges before each scrape. */
  readonly refreshMetrics: () => Promise<void>;
  /** Rejects when the process cannot do its work. */
  readonly checkReadiness: () => Promise<void>;
  readonly isDraining: () => boolean;
}

/** A readiness check that takes longer counts as failed. */
const CHECK_TIMEOUT_MS = 2000;

/**
 * Serves `/livez`, `/readyz` and `/metrics` of a process on a separate port, without
 * authentication. Keep the port private. A port of 0 selects a free port, so the resulting address
 * is sent to the parent process as `{ monitoring }`.
 * @throws AppError `configuration` when the port cannot be opened.
 */
export async function startMonitor(options: MonitorOptions): Promise<{ close(): void }> {
  const { host, port } = options;
  if (port === undefined) return { close: () => {} };
  const server = createServer(handleRequests(options));
  server.listen(port, host);
  const failed = once(server, 'error').then(([error]) => {
    throw new AppError(
      'configuration',
      `FRESHET_MONITOR_PORT: cannot listen on ${host}:${port} (${(error as { code?: string }).code}). Choose a different port.`,
    );
  });
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => {});
  process.send?.({ monitoring: `http://${host}:${(server.address() as AddressInfo).port}` });
  return {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function handleRequests({ metrics, refreshMetrics, checkReadiness, isDraining }: MonitorOptions): RequestListener {
  return (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') return sendStatus(response, 405, 'method not allowed');
    if (path === '/livez') return sendStatus(response, 200, 'ok');
    if (path === '/readyz') {
      void isReady(checkReadiness, isDraining).then((ready) =>
        sendStatus(response, ready ? 200 : 503, ready ? 'ok' : 'unavailable'),
      );
      return;
    }
    if (path !== '/metrics') return sendStatus(response, 404, 'not found');
    // If the refresh fails, return all metrics anyway, with the previous values of the gauges.
    refreshMetrics()
      .catch(() => {})
      .then(() => metrics.text())
      .then(
        (text) => send(response, 200, metrics.contentType, text),
        () => sendStatus(response, 500, 'error'),
      );
  };
}

function sendStatus(response: ServerResponse, statusCode: number, status: string): void {
  send(response, statusCode, 'application/json', JSON.stringify({ status }));
}

function send(response: ServerResponse, statusCode: number, contentType: string, body: string): void {
  response.writeHead(statusCode, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}

/**
 * Returns whether the process accepts work: the check passes within 2 seconds, and no shutdown is
 * in progress.
 */
export async function isReady(check: () => Promise<void>, isDraining: () => boolean): Promise<boolean> {
  if (isDraining()) return false;
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  const result = check().then(
    () => true,
    () => false,
  );
  const hasPassed = await Promise.race([result, timeout]);
  clearTimeout(timer);
  return hasPassed && !isDraining();
}
