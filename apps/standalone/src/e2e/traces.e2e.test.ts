import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';

/** A run is one trace, from the request that asked for it to the commit in the warehouse, whichever processes and jobs that takes. */
let collector: Server;
let deployment: Deployment;
const received: Span[] = [];
let everything = '';

/** OTLP's JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
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
      everything += body.toString('utf8');
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

const traceOf = (traceId: string) => received.filter((span) => span.traceId === traceId);

/** The names of a span and of all that it belongs to, outermost first. */
function lineage(span: Span): string[] {
  const parent = received.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent ? lineage(parent) : []), `${span.service.replace('freshet-', '')}: ${span.name}`];
}

/** Runs now. The body comes when the headers have been read, as a slow client's does. */
async function ask(pipelineId: string, traceparent: string): Promise<RunAnswer> {
  const body = JSON.stringify({ kind: 'sync' });
  const headers = {
    authorization: `Bearer ${deployment.token}`,
    traceparent,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  const asking = request(`${deployment.url}/v1/pipelines/${pipelineId}/runs`, {
    method: 'POST',
    headers: { ...headers, expect: '100-continue' },
  });
  asking.once('continue', () => asking.end(body));
  asking.flushHeaders();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(202);
  return (await json(response)) as RunAnswer;
}

test('from the request to the commit in the warehouse, within the trace of whoever asked', async () => {
  const pipelineId = await deployment.createPipeline();
  await deployment.finished((await deployment.startRun(pipelineId)).id);
  deployment.simulator.account.update('tickets', 7, { subject: 'changed' });
  const traceId = randomBytes(16).toString('hex');
  const callersSpan = randomBytes(8).toString('hex');
  const { id } = await ask(pipelineId, `00-${traceId}-${callersSpan}-01`);
  const run = await deployment.finished(id);
  expect(run.status).toBe('succeeded');
  const start = ['api: POST /v1/pipelines/:id/runs', 'api: start run'];
  const lineages = await eventually(
    () => {
      const found = traceOf(traceId).map(lineage);
      return [...start, 'load-worker: commit', 'extract-worker: store step'].every((name) =>
        found.some((l) => l.at(-1) === name),
      )
        ? found
        : null;
    },
    'the spans have come',
    30_000,
  );
  expect(traceOf(traceId).find(({ name }) => name.startsWith('POST'))?.parentSpanId).toBe(callersSpan);
  expect(lineages).toContainEqual([...start, 'extract-worker: extract tickets', 'extract-worker: GET Freshdesk']);
  expect(lineages).toContainEqual([...start, 'extract-worker: extract tickets', 'extract-worker: store step']);
  expect(lineages).toContainEqual([
    ...start,
    'load-worker: load tickets',
    'load-worker: warehouse transaction',
    'load-worker: commit',
  ]);
  expect(lineages).toContainEqual([...start, 'load-worker: load tickets', 'load-worker: mark loaded']);
  // However many slices it takes, none stands deeper than the first.
  expect(Math.max(...lineages.map((l) => l.length))).toBe(5);
});

test('what a scheduler starts is a trace of its own, and a process that drains sends what it has', async () => {
  const pipelineId = await deployment.control.sql`select id from freshet.pipelines`.then(
    ([row]) => row?.['id'] as string,
  );
  await deployment.control.sql`update freshet.pipelines set next_run_at = now()`;
  const started = await eventually(
    async () =>
      (
        await deployment.control
          .sql`select id, traceparent from freshet.runs where trigger = 'schedule' and finished_at is not null`
      )[0],
    'a run was scheduled',
  );
  expect(started['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const traceId = (started['traceparent'] as string).split('-')[1] as string;
  const gone = ['scheduler', 'extract-worker', 'load-worker'].map((name) =>
    once(deployment.signal(name, 'SIGTERM'), 'exit'),
  );
  await Promise.all(gone);
  const roots = traceOf(traceId).filter(({ parentSpanId }) => !parentSpanId);
  expect(roots.map(({ service, name }) => `${service}: ${name}`)).toEqual(['freshet-scheduler: start run']);
  expect(roots[0]?.attributes.find(({ key }) => key === 'freshet.pipeline_id')?.value.stringValue).toBe(pipelineId);
  expect(traceOf(traceId).map(({ name }) => name)).toContain('extract tickets');
});

test('I6: no secret, no address of a person and no text of a record is in what was sent', async () => {
  expect(everything).toContain('GET Freshdesk');
  for (const secret of [deployment.token, 'demo-admin-key', 'password', '@', 'subject'])
    expect(everything).not.toContain(secret);
});
