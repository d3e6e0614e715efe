import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../context.ts';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

interface RunEvent {
  readonly id: string;
  readonly run: { readonly status: string };
}

let isDraining = false;
let listeningApp: App;

beforeAll(async () => {
  listeningApp = await api.build({ isDraining: () => isDraining });
  await listeningApp.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => listeningApp.close());
beforeEach(() => {
  isDraining = false;
});

async function startRun(): Promise<string> {
  const pipeline = await api.createPipeline();
  return (await api.store.runs.start(pipeline.id, 'manual', [{ name: 'roles', creditClass: 'incremental' }])).id;
}

/** Reads events until the stream ends, or until `isEnough` returns true. */
async function readEvents(
  id: string,
  lastEventId?: string,
  isEnough?: (events: RunEvent[]) => boolean,
): Promise<{ status: number; events: RunEvent[] }> {
  const abort = new AbortController();
  const { port } = listeningApp.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/runs/${id}/events`, {
    headers: { authorization: `Bearer ${api.token}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    signal: abort.signal,
  });
  const events: RunEvent[] = [];
  let buffer = '';
  if (response.status === 200 && response.body) {
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      buffer += chunk;
      const messages = buffer.split('\n\n');
      buffer = messages.pop() ?? '';
      for (const message of messages) {
        const fields = Object.fromEntries(
          message.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
        );
        if (fields['event'] === 'run')
          events.push({ id: fields['id'] as string, run: JSON.parse(fields['data'] as string) });
      }
      if (isEnough?.(events)) {
        abort.abort();
        break;
      }
    }
  }
  return { status: response.status, events };
}

describe('GET /v1/runs/{id}/events', () => {
  test('streams the changes of a run until the run finishes, and resumes after `Last-Event-ID`', async () => {
    const id = await startRun();
    const first = await readEvents(id, undefined, (events) => events.length === 1);
    expect(first.events.map((e) => e.run.status)).toEqual(['queued']);
    const lastEventId = first.events[0]?.id as string;
    // The state that the client has received is not sent again. The stream sends the next state,
    // then ends.
    const rest = readEvents(id, lastEventId);
    await api.store.runs.cancel(id);
    const { events } = await rest;
    expect(events.map((e) => e.run.status)).toEqual(['cancelled']);
    // Browsers reconnect when a stream ends, until the status is 204.
    expect(await readEvents(id, events[0]?.id)).toEqual({ status: 204, events: [] });
    expect((await readEvents(id)).events).toHaveLength(1);
  });

  test('the stream ends when the process shuts down', async () => {
    const id = await startRun();
    const reading = readEvents(id);
    isDraining = true;
    expect((await reading).events.map((e) => e.run.status)).toEqual(['queued']);
  });
});

describe('GET /v1/runs/{id}?wait=', () => {
  test('returns when the run finishes or the timeout elapses', async () => {
    const id = await startRun();
    expect((await call('get', `/v1/runs/${id}?wait=0`).expect(200)).body.status).toBe('queued');
    const waiting = call('get', `/v1/runs/${id}?wait=60`).then(({ body }) => body);
    await api.store.runs.cancel(id);
    expect(await waiting).toMatchObject({ status: 'cancelled' });
    await call('get', `/v1/runs/${id}?wait=61`).expect(400);
    const { pipeline_id } = await api.store.runs.get(id);
    const { body } = await call('post', `/v1/pipelines/${pipeline_id}/runs?wait=1`).expect(202);
    expect(body.status).toBe('queued');
  });
});
