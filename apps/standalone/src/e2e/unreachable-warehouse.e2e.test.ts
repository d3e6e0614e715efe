import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Run } from '@freshet/client';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { findDifferences } from '../test-support/differences.ts';

/**
 * A warehouse that accepts connections and never responds, like a host behind a firewall that drops
 * packets. Each attempt takes ten seconds.
 */
let warehouseProxy: Server;
let deployment: Deployment;
const openSockets = new Set<Socket>();
let openSocketsMax = 0;
let attempts = 0;
let isAvailable = false;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, contacts: 20 } }, undefined, {
    FRESHET_CONCURRENCY: '2',
  });
  warehouseProxy = createServer((socket) => {
    socket.on('error', () => {});
    if (isAvailable) {
      const { hostname, port } = new URL(deployment.warehouse.url);
      const server = connect(Number(port), hostname);
      server.on('error', () => {});
      socket.pipe(server).pipe(socket);
      return;
    }
    attempts += 1;
    openSockets.add(socket);
    openSocketsMax = Math.max(openSocketsMax, openSockets.size);
    socket.resume();
    socket.once('close', () => openSockets.delete(socket));
  });
  warehouseProxy.listen(0, '127.0.0.1');
  await once(warehouseProxy, 'listening');
});
afterAll(async () => {
  warehouseProxy.close();
  await deployment[Symbol.asyncDispose]();
});

async function createUnreachablePipeline(schema: string): Promise<string> {
  const { api } = deployment;
  const { pathname, username, password } = new URL(deployment.warehouse.url);
  const key = await api.post('/v1/credentials', {
    body: { name: 'key 2', type: 'freshdesk_api_key', api_key: 'demo-admin-key' },
  });
  const secret = await api.post('/v1/credentials', {
    body: { name: 'password 2', type: 'postgres_password', password: decodeURIComponent(password) || 'none' },
  });
  const destination = await api.post('/v1/destinations', {
    body: {
      name: 'unreachable',
      type: 'postgres',
      host: '127.0.0.1',
      port: (warehouseProxy.address() as AddressInfo).port,
      database: pathname.slice(1),
      username,
      credential_id: secret.id,
      ssl_mode: 'disable',
    },
  });
  const pipeline = await api.post('/v1/pipelines', {
    body: {
      name: 'unreachable',
      source: { type: 'freshdesk', subdomain: 'demo', credential_id: key.id, historical_sync_days: null },
      destination_id: destination.id,
      destination_schema: schema,
    },
  });
  return pipeline.id;
}

test('an unresponsive warehouse occupies at most one connection at a time, and is loaded when it responds again (I7, I8)', {
  timeout: 180_000,
}, async () => {
  const unreachable = await createUnreachablePipeline('freshdesk_unreachable');
  const getLatestRun = async (pipelineId: string) => (await deployment.listRuns(pipelineId))[0] as Run;
  const waiting = await waitFor(async () => {
    const run = await getLatestRun(unreachable);
    return run?.objects.some(({ error }) => error?.code === 'warehouse_unavailable') ? run : null;
  }, 'its objects report the unavailable warehouse');
  expect(waiting.status).toBe('running');
  // In the meantime, a different pipeline completes its first sync.
  const reachable = await deployment.createPipeline('demo-admin-key', null);
  expect((await deployment.sync(reachable)).status).toBe('succeeded');
  expect((await getLatestRun(unreachable)).status).toBe('running');
  expect(await deployment.findDifferences()).toEqual([]);
  isAvailable = true;
  const finished = await deployment.waitForRun(waiting.id);
  expect(finished.status).toBe('succeeded');
  expect(await findDifferences(deployment.simulator, deployment.warehouse, 'freshdesk_unreachable')).toEqual([]);
  expect(attempts).toBeGreaterThan(0);
  expect(openSocketsMax).toBe(1);
});
