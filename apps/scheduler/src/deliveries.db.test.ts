import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { openTestStore, resetStore, type TestStore } from '@freshet/control-store/test-support';
import { createOutboundPolicy } from '@freshet/runtime';
import { SMTPServer } from 'smtp-server';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Deliveries } from './deliveries.ts';

interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

let t: TestStore;
let receiver: Server;
let url: string;
let received: ReceivedRequest[];
/** The response of the receiver. */
let response: { status: number; headers?: Record<string, string> };
let deliveries: Deliveries;

beforeAll(async () => {
  t = await openTestStore();
  receiver = createServer((request, reply) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body, path: request.url ?? '' });
      reply.writeHead(response.status, response.headers).end('thanks');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  deliveries = new Deliveries(t.store, createOutboundPolicy('127.0.0.0/8'));
});
afterAll(async () => {
  await deliveries.close();
  receiver.closeAllConnections();
  receiver.close();
  await t[Symbol.asyncDispose]();
});
beforeEach(async () => {
  received = [];
  response = { status: 204 };
  await resetStore(t);
});

const createWebhook = async (
  options: {
    events?: ('webhook.test' | 'run.failed' | 'run.succeeded' | 'webhook.disabled')[];
    url?: string;
    name?: string;
  } = {},
) =>
  t.store.webhooks.create({
    name: options.name ?? 'hook',
    url: options.url ?? url,
    events: options.events ?? ['run.failed'],
    enabled: true,
  });

/** Starts a run that fails because Freshdesk rejects the API key. */
async function failRun(): Promise<void> {
  const [existing] = (await t.store.pipelines.list({ limit: 1, cursor: null })).data;
  const pipeline = existing ?? (await t.createPipeline());
  const { id } = await t.store.runs.start(pipeline.id, 'manual', [{ name: 'tickets', creditClass: 'incremental' }]);
  const [objectRun] = (await t.store.runs.get(id)).objects;
  const lease = await t.store.extraction.acquire((objectRun as { id: string }).id);
  await t.store.extraction.stop(
    lease as NonNullable<typeof lease>,
    'failed',
    { code: 'source_auth', message: 'The key was rejected.' },
    { incremental: 1 },
  );
}

const listPending = async () =>
  (
    await t.database.sql<
      { id: string }[]
    >`select id from freshet.webhook_deliveries where status = 'pending' order by id`
  ).map(({ id }) => id);
const listDeliveries = async (id: string) =>
  (await t.store.webhooks.listDeliveries(id, { limit: 50, cursor: null }, {})).data;

describe('delivery to a webhook', () => {
  test('sends each event to its subscribers once, with a signature', async () => {
    const { webhook, secret } = await createWebhook();
    await createWebhook({ name: 'other', events: ['run.succeeded'] });
    await failRun();
    const ids = await listPending();
    expect(ids).toHaveLength(1);
    await deliveries.deliver(ids[0] as string);
    await deliveries.deliver(ids[0] as string);
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [ReceivedRequest];
    // The official implementation verifies the signature.
    const event = new Verifier(secret).verify(body, headers as Record<string, string>);
    expect(event).toMatchObject({
      type: 'run.failed',
      timestamp: expect.any(String),
      data: { status: 'failed', kind: 'sync', records_loaded: 0 },
    });
    expect(() =>
      new Verifier(secret).verify(body.replace('failed', 'sailed'), headers as Record<string, string>),
    ).toThrow();
    expect(await listDeliveries(webhook.id)).toMatchObject([
      {
        status: 'delivered',
        attempts: 1,
        response_status: 204,
        error: null,
        event_type: 'run.failed',
        next_attempt_at: null,
      },
    ]);
  });

  test('sends separate events for a failed object and a rejected API key, without secrets', async () => {
    const { webhook } = await t.store.webhooks.create({
      name: 'all',
      url,
      events: ['object.failed', 'credential.refused'],
      enabled: true,
    });
    await failRun();
    for (const id of await listPending()) await deliveries.deliver(id);
    expect(received.map(({ body }) => JSON.parse(body)).map(({ type, data }) => [type, data.error.code])).toEqual([
      ['object.failed', 'source_auth'],
      ['credential.refused', 'source_auth'],
    ]);
    expect(JSON.stringify(received)).not.toContain('the-api-key-of-acme');
    expect(await listDeliveries(webhook.id)).toHaveLength(2);
  });

  test('is retried with increasing backoff for more than a day, and a later redelivery has the same event id', async () => {
    const { webhook } = await createWebhook();
    await failRun();
    const [id] = (await listPending()) as [string];
    response = { status: 503 };
    let previousWait = 0;
    for (let attempt = 1; attempt <= 8; attempt++) {
      await deliveries.deliver(id);
      const [entry] = await listDeliveries(webhook.id);
      expect(entry).toMatchObject({
        attempts: attempt,
        response_status: 503,
        error: 'The receiver responded with status 503.',
        status: attempt === 8 ? 'failed' : 'pending',
      });
      const wait = entry?.next_attempt_at ? entry.next_attempt_at.getTime() - Date.now() : 0;
      if (attempt > 1 && attempt < 7) expect(wait).toBeGreaterThan(previousWait);
      previousWait = wait;
    }
    const [{ n }] = (await t.database
      .sql`select count(*)::int as n from pgboss.job where name = 'deliver' and start_after > now()`) as unknown as [
      { n: number },
    ];
    expect(n).toBeGreaterThan(0);
    response = { status: 200 };
    const redelivery = await t.store.webhooks.redeliver(webhook.id, id);
    await deliveries.deliver(redelivery.id);
    expect(received.at(-1)?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id']);
    expect((await listDeliveries(webhook.id)).map((d) => d.status)).toEqual(['delivered', 'failed']);
  });

  test('disables the webhook after a day of failures, and notifies other webhooks', async () => {
    const { webhook } = await createWebhook();
    await createWebhook({ name: 'watcher', events: ['webhook.disabled'] });
    await failRun();
    const [id] = (await listPending()) as [string];
    response = { status: 500 };
    await deliveries.deliver(id);
    await t.database
      .sql`update freshet.webhooks set failing_since = now() - interval '2 days' where id = ${webhook.id}`;
    await t.database.sql`update freshet.webhook_deliveries set attempts = 7 where id = ${id}`;
    await deliveries.deliver(id);
    expect(await t.store.webhooks.get(webhook.id)).toMatchObject({
      enabled: false,
      disabled_reason: expect.stringContaining('status 500'),
    });
    response = { status: 200 };
    for (const next of await listPending()) await deliveries.deliver(next);
    expect(JSON.parse(received.at(-1)?.body ?? '{}')).toMatchObject({
      type: 'webhook.disabled',
      data: { name: 'hook', webhook_id: webhook.id },
    });
    expect(await t.store.webhooks.update(webhook.id, { enabled: true }, null)).toMatchObject({
      enabled: true,
      disabled_reason: null,
      failing_since: null,
    });
  });

  test('disables the webhook immediately after the response 410 Gone', async () => {
    const { webhook } = await createWebhook();
    await failRun();
    response = { status: 410 };
    for (const id of await listPending()) await deliveries.deliver(id);
    expect(await t.store.webhooks.get(webhook.id)).toMatchObject({
      enabled: false,
      disabled_reason: 'The receiver responded with status 410 Gone.',
    });
    expect(await listDeliveries(webhook.id)).toMatchObject([{ status: 'failed', attempts: 1 }]);
  });

  test('signs requests with both the old and the new secret until the overlap of a rotation ends', async () => {
    const { webhook, secret: oldSecret } = await createWebhook();
    const { secret } = await t.store.webhooks.rotate(webhook.id, 60, null);
    expect(secret).not.toBe(oldSecret);
    await t.store.webhooks.sendTestEvent(webhook.id);
    for (const id of await listPending()) await deliveries.deliver(id);
    const [{ headers, body }] = received as [ReceivedRequest];
    for (const key of [secret, oldSecret])
      expect(new Verifier(key).verify(body, headers as Record<string, string>)).toMatchObject({
        type: 'webhook.test',
      });
    await t.store.webhooks.rotate(webhook.id, 0, null);
    await t.store.webhooks.sendTestEvent(webhook.id);
    for (const id of await listPending()) await deliveries.deliver(id);
    const last = received.at(-1) as ReceivedRequest;
    expect(() => new Verifier(secret).verify(last.body, last.headers as Record<string, string>)).toThrow();
  });

  test.each([
    [
      'a redirect, which is not followed',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'The receiver responded with status 302.',
    ],
    ['an error status', { status: 404 }, 'The receiver responded with status 404.'],
  ])('is retried after %s', async (_title, failure, error) => {
    response = failure;
    const { webhook } = await createWebhook();
    await failRun();
    for (const id of await listPending()) await deliveries.deliver(id);
    expect(received).toHaveLength(1);
    expect(await listDeliveries(webhook.id)).toMatchObject([{ status: 'pending', error }]);
  });

  test.each([
    'http://localhost:1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:127.0.0.1]:1/',
    'http://2130706433:1/',
  ])('does not connect to %s unless the operator allows it (OWASP API7)', async (address) => {
    const strict = new Deliveries(t.store, createOutboundPolicy(''));
    const { webhook } = await createWebhook({ url: address });
    await failRun();
    for (const id of await listPending()) await strict.deliver(id);
    await strict.close();
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { response_status: null, error: expect.stringContaining('is a blocked address') },
    ]);
  });

  test('stores an error when the receiver is unreachable', async () => {
    const { webhook } = await createWebhook({ url: 'http://127.0.0.1:1/' });
    await failRun();
    for (const id of await listPending()) await deliveries.deliver(id);
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { response_status: null, error: 'The receiver is unreachable: ECONNREFUSED.' },
    ]);
  });

  test('renders the template of the webhook with the template secret, which is stored encrypted', async () => {
    const template = {
      text: '{{summary}}',
      event_action: 'trigger',
      routing_key: '{{secret}}',
      payload: {
        severity: '{{severity}}',
        source: ['freshet', '{{type}}'],
        custom_details: '{{data}}',
        code: '{{data.error.code}}',
        unknown: '{{nothing}} {{data.__proto__}}',
      },
    };
    const { webhook } = await t.store.webhooks.create({
      name: 'pager',
      url: `${url}/{{secret}}`,
      events: ['object.failed'],
      enabled: true,
      template,
      template_secret: 'the-key-of-the-pager',
    });
    expect(webhook).toMatchObject({ template, has_template_secret: true });
    await failRun();
    for (const id of await listPending()) await deliveries.deliver(id);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      text: 'Synchronization of tickets failed: The key was rejected.',
      routing_key: 'the-key-of-the-pager',
      payload: {
        severity: 'error',
        source: ['freshet', 'object.failed'],
        custom_details: { object: 'tickets' },
        code: 'source_auth',
        unknown: '{{nothing}} {{data.__proto__}}',
      },
    });
    expect(received[0]?.path).toBe('/hook/the-key-of-the-pager');
    const stored = JSON.stringify(await t.database.sql`select * from freshet.webhooks`);
    expect(stored).not.toContain('the-key-of-the-pager');
    expect(JSON.stringify(await listDeliveries(webhook.id))).not.toContain('the-key-of-the-pager');
  });
});

describe('delivery by email', () => {
  interface Mail {
    readonly from: string;
    readonly to: readonly string[];
    readonly text: string;
  }
  let server: SMTPServer;
  let mails: Mail[];
  let rejectsMail: boolean;
  let mailDeliveries: Deliveries;

  beforeAll(async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username, password }, _session, done) =>
        username === 'freshet' && password === 'the-password-of-the-mail-server'
          ? done(null, { user: username })
          : done(new Error('no')),
      onData: (stream, { envelope }, done) => {
        let text = '';
        stream.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        stream.on('end', () => {
          if (rejectsMail) return done(Object.assign(new Error('full'), { responseCode: 452 }));
          mails.push({
            from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
            to: envelope.rcptTo.map((r) => r.address),
            text,
          });
          done();
        });
      },
    });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    mailDeliveries = new Deliveries(t.store, createOutboundPolicy(''), {
      smtpUrl: `smtp://freshet:the-password-of-the-mail-server@127.0.0.1:${port}`,
      from: 'freshet@example.com',
    });
  });
  beforeEach(() => {
    mails = [];
    rejectsMail = false;
  });
  afterAll(async () => {
    await mailDeliveries.close();
    server.close();
  });

  test('sends one mail to all addresses, with the summary of the event as the subject', async () => {
    const { webhook } = await createWebhook({ url: 'mailto:ops@example.com,second@example.com' });
    await failRun();
    for (const id of await listPending()) await mailDeliveries.deliver(id);
    expect(mails).toHaveLength(1);
    const [{ from, to, text }] = mails as [Mail];
    expect([from, to]).toEqual(['freshet@example.com', ['ops@example.com', 'second@example.com']]);
    expect(text).toMatch(/^Subject: \[Freshet error\] Run .*\s+failed/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(text).toContain('"status": "failed"');
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { status: 'delivered', response_status: null, error: null },
    ]);
  });

  test('is retried after the mail server rejects the mail, and after an attempt without a configured mail server', async () => {
    rejectsMail = true;
    const { webhook } = await createWebhook({ url: 'mailto:ops@example.com' });
    await failRun();
    const [id] = (await listPending()) as [string];
    await mailDeliveries.deliver(id);
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { status: 'pending', error: 'The mail server did not accept the mail: 452.' },
    ]);
    await deliveries.deliver(id);
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { status: 'pending', error: expect.stringContaining('SMTP_URL') },
    ]);
    rejectsMail = false;
    await mailDeliveries.deliver(id);
    expect(await listDeliveries(webhook.id)).toMatchObject([{ status: 'delivered' }]);
    expect(mails).toHaveLength(1);
  });

  test('is aborted if a slow mail server exceeds the total timeout', async () => {
    const server = createTcpServer((socket) => {
      const timer = setInterval(() => socket.write('2'), 20);
      socket.on('close', () => clearInterval(timer)).on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const smtpUrl = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slow = new Deliveries(t.store, createOutboundPolicy('127.0.0.0/8'), {
      smtpUrl,
      from: 'freshet@example.com',
      timeoutMs: 300,
    });
    const { webhook } = await createWebhook({ url: 'mailto:ops@example.com' });
    await failRun();
    for (const id of await listPending()) expect(await slow.deliver(id)).toBe(false);
    expect(await listDeliveries(webhook.id)).toMatchObject([
      { status: 'pending', error: expect.stringContaining('The mail server did not accept the mail') },
    ]);
    await slow.close();
    server.close();
  });
});
