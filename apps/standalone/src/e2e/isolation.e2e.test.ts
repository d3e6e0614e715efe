import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** A warehouse that takes connections and says nothing, as behind a firewall that drops: the worst kind, as each try takes ten seconds. */
let hole: Server;
let deployment: Deployment;
const open = new Set<Socket>();
let mostAtOnce = 0;
let tries = 0;
let isWell = false;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, contacts: 20 } }, undefined, {
    FRESHET_CONCURRENCY: '2',
  });
  hole = createServer((socket) => {
    socket.on('error', () => {});
    if (isWell) {
      const { hostname, port } = new URL(deployment.warehouse.url);
      const server = connect(Number(port), hostname);
      server.on('error', () => {});
      socket.pipe(server).pipe(socket);
      return;
    }
    tries += 1;
    open.add(socket);
    mostAtOnce = Math.max(mostAtOnce, open.size);
    socket.resume();
    socket.once('close', () => open.delete(socket));
  });
  hole.listen(0, '127.0.0.1');
  await once(hole, 'listening');
});
afterAll(async () => {
  hole.close();
  await deployment[Symbol.asyncDispose]();
});

async function secondPipeline(schema: string): Promise<string> {
  const { api } = deployment;
  const { pathname, username, password } = new URL(deployment.warehouse.url);
  const key = await api.call<{ id: string }>('POST', '/v1/credentials', {
    name: 'key 2',
    type: 'freshdesk_api_key',
    api_key: 'demo-admin-key',
  });
  const secret = await api.call<{ id: string }>('POST', '/v1/credentials', {
    name: 'password 2',
    type: 'postgres_password',
    password: decodeURIComponent(password) || 'none',
  });
  const destination = await api.call<{ id: string }>('POST', '/v1/destinations', {
    name: 'away',
    type: 'postgres',
    host: '127.0.0.1',
    port: (hole.address() as AddressInfo).port,
    database: pathname.slice(1),
    username,
    credential_id: secret.id,
    ssl_mode: 'disable',
  });
  const pipeline = await api.call<{ id: string }>('POST', '/v1/pipelines', {
    name: 'away',
    source: { type: 'freshdesk', subdomain: 'demo', credential_id: key.id, historical_sync_days: null },
    destination_id: destination.id,
    destination_schema: schema,
  });
  return pipeline.id;
}

test('I7, I8: a warehouse that does not answer holds one worker at most, the others work for other pipelines, and it is loaded when it is back', {
  timeout: 180_000,
}, async () => {
  const away = await secondPipeline('freshdesk_away');
  const runOf = async (pipelineId: string) =>
    (await deployment.api.call<{ data: RunAnswer[] }>('GET', `/v1/runs?pipeline_id=${pipelineId}`))
      .data[0] as RunAnswer;
  const waiting = await eventually(async () => {
    const run = await runOf(away);
    return run?.objects.some(({ error }) => error?.code === 'warehouse_unavailable') ? run : null;
  }, 'its objects say what they wait for');
  expect(waiting.status).toBe('running');
  // Meanwhile another one makes its whole first sync.
  const home = await deployment.createPipeline('demo-admin-key', null);
  await eventually(async () => (await runOf(home))?.status === 'succeeded', 'the other pipeline is in sync');
  expect((await runOf(away)).status).toBe('running');
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  isWell = true;
  const over = await deployment.finished(waiting.id);
  expect(over.status).toBe('succeeded');
  expect(await differences(deployment.simulator, deployment.warehouse, 'freshdesk_away')).toEqual([]);
  expect({ mostAtOnce, tried: tries > 0 }).toEqual({ mostAtOnce: 1, tried: true });
});
