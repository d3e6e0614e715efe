import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '@freshet/contracts';
import type { Metrics } from './metrics.ts';

export interface MonitorOptions {
  readonly host: string;
  /** Undefined: nobody watches, and nothing listens. */
  readonly port: number | undefined;
  readonly metrics: Metrics;
  /** Brings numbers up to date that are not counted as they happen. */
  readonly refresh?: () => Promise<void>;
  /** Resolves if the process can do its work. */
  readonly check: () => Promise<void>;
  readonly isDraining: () => boolean;
}

/** A readiness that takes longer than this is none. */
const CHECK_TIMEOUT_MS = 2000;

/** `/livez`, `/readyz` and `/metrics` of a process that has no other HTTP. For whoever runs it: keep its port to yourself. */
export async function startMonitor({
  host,
  port,
  metrics,
  refresh,
  check,
  isDraining,
}: MonitorOptions): Promise<{ close(): void }> {
  if (port === undefined) return { close: () => {} };
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const json = (status: number, said: string) => answer(status, 'application/json', JSON.stringify({ status: said }));
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, 'method not allowed');
    if (path === '/livez') return json(200, 'ok');
    if (path === '/readyz') {
      void isReady(check, isDraining).then((ready) => json(ready ? 200 : 503, ready ? 'ok' : 'unavailable'));
      return;
    }
    if (path !== '/metrics') return json(404, 'not found');
    // What cannot be refreshed is as old as it is; the rest is worth having.
    Promise.resolve(refresh?.())
      .catch(() => {})
      .then(() => metrics.text())
      .then(
        (text) => answer(200, metrics.contentType, text),
        () => json(500, 'error'),
      );
  });
  server.listen(port, host);
  const failed = once(server, 'error').then(([error]) => {
    throw new AppError(
      'configuration',
      `FRESHET_MONITOR_PORT: nothing can listen at ${host}:${port} (${(error as { code?: string }).code}).`,
    );
  });
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => {});
  // Whoever started this process may want to know where, if it let us choose the port.
  process.send?.({ monitoring: `http://${host}:${(server.address() as AddressInfo).port}` });
  return {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Whether a check passes in time. */
export async function isReady(check: () => Promise<void>, isDraining: () => boolean): Promise<boolean> {
  if (isDraining()) return false;
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  const passed = check().then(
    () => true,
    () => false,
  );
  const ready = await Promise.race([passed, late]);
  clearTimeout(timer);
  return ready && !isDraining();
}
