import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { Run } from '@freshet/client';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/**
 * A run is one trace across all processes and jobs, from the API request to the commit in the
 * warehouse.
 */
let collector: Server;
let deployment: Deployment;
const received: Span[] = [];
let exportedText = '';

/** The JSON encoding of OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<Span, 'service'>[] }[];
  }[];
}
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

beforeAll(async () => {
  collector = createServer((sent, response) => {
    void buffer(sent).then((body) => {
      exportedText += body.toString('utf8');
      for (const { resource, scopeSpans } of (JSON.parse(body.toString('utf8')) as Export).resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
        received.push(...scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service }))));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  deployment = await Deployment.start({ counts: { tickets: 40, contacts: 10 } }, undefined, {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  });
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  collector.close();
});

const findSpans = (traceId: string) => received.filter((span) => span.traceId === traceId);

/** Returns the names of the ancestors of a span and the name of the span itself, the root first. */
function getPath(span: Span): string[] {
  const parent = received.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent ? getPath(parent) : []), `${span.service.replace('freshet-', '')}: ${span.name}`];
}

/** Starts a run. Sends the body after the headers have been read, as a slow client does. */
async function requestRun(pipelineId: string, traceparent: string): Promise<Run> {
  const body = JSON.stringify({ kind: 'sync' });
  const headers = {
    authorization: `Bearer ${deployment.token}`,
    traceparent,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  const clientRequest = request(`${deployment.url}/v1/pipelines/${pipelineId}/runs`, {
    method: 'POST',
    headers: { ...headers, expect: '100-continue' },
  });
  clientRequest.once('continue', () => clientRequest.end(body));
  clientRequest.flushHeaders();
  const [response] = (await once(clientRequest, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(202);
  return (await json(response)) as Run;
}

test('all spans of a requested run, from the request to the commit, belong to the trace of the caller', async () => {
  const pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'conversations', 'contacts']);
  await deployment.waitForRun((await deployment.startRun(pipelineId)).id);
  deployment.simulator.account.update('tickets', 7, { subject: 'changed' });
  const traceId = randomBytes(16).toString('hex');
  const callerSpanId = randomBytes(8).toString('hex');
  const { id } = await requestRun(pipelineId, `00-${traceId}-${callerSpanId}-01`);
  const run = await deployment.waitForRun(id);
  expect(run.status).toBe('succeeded');
  const start = ['api: POST /v1/pipelines/:id/runs', 'api: start run'];
  const expected = [
    start,
    [...start, 'extract-worker: extract tickets', 'extract-worker: GET Freshdesk'],
    [...start, 'extract-worker: extract tickets', 'extract-worker: store step'],
    [...start, 'load-worker: load tickets', 'load-worker: warehouse transaction', 'load-worker: commit'],
    [...start, 'load-worker: load tickets', 'load-worker: mark loaded'],
  ];
  // The processes export their spans in batches. Until the parent of a span is exported, the path
  // of the span is incomplete, so wait for the complete paths.
  const paths = await waitFor(
    () => {
      const spanPaths = findSpans(traceId).map(getPath);
      return expected.every((path) => spanPaths.some((other) => isDeepStrictEqual(other, path))) ? spanPaths : null;
    },
    'the spans have been exported',
    30_000,
  );
  expect(findSpans(traceId).find(({ name }) => name.startsWith('POST'))?.parentSpanId).toBe(callerSpanId);
  for (const path of expected) expect(paths).toContainEqual(path);
  // The spans of later slices have the same depth as the spans of the first slice.
  expect(Math.max(...paths.map((l) => l.length))).toBe(5);
});

test('a scheduled run starts a new trace, whose pending spans are exported when the processes shut down', async () => {
  const pipelineId = await deployment.control.sql`select id from freshet.pipelines`.then(
    ([row]) => row?.['id'] as string,
  );
  await deployment.control.sql`update freshet.pipelines set next_run_at = now()`;
  const run = await waitFor(
    async () =>
      (
        await deployment.control
          .sql`select id, traceparent from freshet.runs where trigger = 'schedule' and finished_at is not null`
      )[0],
    'a scheduled run has finished',
  );
  expect(run['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const traceId = (run['traceparent'] as string).split('-')[1] as string;
  const exits = ['scheduler', 'extract-worker', 'load-worker'].map((name) =>
    once(deployment.signal(name, 'SIGTERM'), 'exit'),
  );
  await Promise.all(exits);
  const roots = findSpans(traceId).filter(({ parentSpanId }) => !parentSpanId);
  expect(roots.map(({ service, name }) => `${service}: ${name}`)).toEqual(['freshet-scheduler: start run']);
  expect(roots[0]?.attributes.find(({ key }) => key === 'freshet.pipeline_id')?.value.stringValue).toBe(pipelineId);
  expect(findSpans(traceId).map(({ name }) => name)).toContain('extract tickets');
});

test('exported spans contain no secret, no email address and no text of a record (I6)', async () => {
  expect(exportedText).toContain('GET Freshdesk');
  for (const secret of [deployment.token, 'demo-admin-key', 'password', '@', 'subject'])
    expect(exportedText).not.toContain(secret);
});
