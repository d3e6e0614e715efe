import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { outbound } from '@freshet/runtime';
import { SMTPServer } from 'smtp-server';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Deliveries } from './deliver.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

let t: TestStore;
let receiver: Server;
let url: string;
let received: Received[];
/** What the receiver answers with. */
let answer: { status: number; headers?: Record<string, string> };
let deliveries: Deliveries;

beforeAll(async () => {
  t = await openTestStore();
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body, path: request.url ?? '' });
      response.writeHead(answer.status, answer.headers).end('thanks');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  deliveries = new Deliveries(t.store, outbound('127.0.0.0/8'));
});
afterAll(async () => {
  await deliveries.close();
  receiver.closeAllConnections();
  receiver.close();
  await t[Symbol.asyncDispose]();
});
beforeEach(async () => {
  received = [];
  answer = { status: 204 };
  await t.database
    .sql`truncate freshet.webhooks, freshet.events, freshet.pipelines, freshet.credentials, freshet.destinations cascade`;
  await t.database.sql`delete from pgboss.job`;
});

const hook = async (
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

/** A run that fails at once: its key is refused. */
async function failingRun(): Promise<void> {
  const [known] = (await t.store.pipelines.list({ limit: 1, cursor: null })).data;
  const pipeline = known ?? (await t.pipeline());
  const { id } = await t.store.runs.start(pipeline.id, 'manual', [{ name: 'tickets', creditClass: 'incremental' }]);
  const [objectRun] = (await t.store.runs.get(id)).objects;
  const claim = await t.store.extraction.claim((objectRun as { id: string }).id);
  await t.store.extraction.stop(
    claim as NonNullable<typeof claim>,
    'failed',
    { code: 'source_auth', message: 'The key is refused.' },
    { incremental: 1 },
  );
}

const pending = async () =>
  (
    await t.database.sql<
      { id: string }[]
    >`select id from freshet.webhook_deliveries where status = 'pending' order by id`
  ).map(({ id }) => id);
const log = async (id: string) => (await t.store.webhooks.deliveries(id, { limit: 50, cursor: null }, {})).data;

describe('webhooks', () => {
  test('what has happened is told once, signed, to those who asked for it', async () => {
    const { webhook, secret } = await hook();
    await hook({ name: 'deaf', events: ['run.succeeded'] });
    await failingRun();
    const ids = await pending();
    expect(ids).toHaveLength(1);
    await deliveries.deliver(ids[0] as string);
    await deliveries.deliver(ids[0] as string);
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Received];
    // By an implementation that is not ours.
    const said = new Verifier(secret).verify(body, headers as Record<string, string>);
    expect(said).toMatchObject({
      type: 'run.failed',
      timestamp: expect.any(String),
      data: { status: 'failed', kind: 'sync', records_loaded: 0 },
    });
    expect(() =>
      new Verifier(secret).verify(body.replace('failed', 'sailed'), headers as Record<string, string>),
    ).toThrow();
    expect(await log(webhook.id)).toMatchObject([
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

  test('a failed object and a refused key are events of their own, and hold no secret', async () => {
    const { webhook } = await t.store.webhooks.create({
      name: 'all',
      url,
      events: ['object.failed', 'credential.refused'],
      enabled: true,
    });
    await failingRun();
    for (const id of await pending()) await deliveries.deliver(id);
    expect(received.map(({ body }) => JSON.parse(body)).map(({ type, data }) => [type, data.error.code])).toEqual([
      ['object.failed', 'source_auth'],
      ['credential.refused', 'source_auth'],
    ]);
    expect(JSON.stringify(received)).not.toContain('the-api-key-of-acme');
    expect(await log(webhook.id)).toHaveLength(2);
  });

  test('what is not taken is tried again, later each time, for more than a day; then it has failed, and can be sent again as the same message', async () => {
    const { webhook } = await hook();
    await failingRun();
    const [id] = (await pending()) as [string];
    answer = { status: 503 };
    let waited = 0;
    for (let attempt = 1; attempt <= 8; attempt++) {
      await deliveries.deliver(id);
      const [entry] = await log(webhook.id);
      expect(entry).toMatchObject({
        attempts: attempt,
        response_status: 503,
        error: 'It answered with status 503.',
        status: attempt === 8 ? 'failed' : 'pending',
      });
      const wait = entry?.next_attempt_at ? entry.next_attempt_at.getTime() - Date.now() : 0;
      if (attempt > 1 && attempt < 7) expect(wait).toBeGreaterThan(waited);
      waited = wait;
    }
    const [{ n }] = (await t.database
      .sql`select count(*)::int as n from pgboss.job where name = 'deliver' and start_after > now()`) as unknown as [
      { n: number },
    ];
    expect(n).toBeGreaterThan(0);
    answer = { status: 200 };
    const again = await t.store.webhooks.redeliver(webhook.id, id);
    await deliveries.deliver(again.id);
    expect(received.at(-1)?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id']);
    expect((await log(webhook.id)).map((d) => d.status)).toEqual(['delivered', 'failed']);
  });

  test('one that has failed for all that time is disabled, the others are told, and enabling it begins anew', async () => {
    const { webhook } = await hook();
    await hook({ name: 'watcher', events: ['webhook.disabled'] });
    await failingRun();
    const [id] = (await pending()) as [string];
    answer = { status: 500 };
    await deliveries.deliver(id);
    await t.database
      .sql`update freshet.webhooks set failing_since = now() - interval '2 days' where id = ${webhook.id}`;
    await t.database.sql`update freshet.webhook_deliveries set attempts = 7 where id = ${id}`;
    await deliveries.deliver(id);
    expect(await t.store.webhooks.get(webhook.id)).toMatchObject({
      enabled: false,
      disabled_reason: expect.stringContaining('status 500'),
    });
    answer = { status: 200 };
    for (const next of await pending()) await deliveries.deliver(next);
    expect(JSON.parse(received.at(-1)?.body ?? '{}')).toMatchObject({
      type: 'webhook.disabled',
      data: { name: 'hook', webhook_id: webhook.id },
    });
    expect(await t.store.webhooks.change(webhook.id, { enabled: true }, null)).toMatchObject({
      enabled: true,
      disabled_reason: null,
      failing_since: null,
    });
  });

  test('410 Gone disables at once', async () => {
    const { webhook } = await hook();
    await failingRun();
    answer = { status: 410 };
    for (const id of await pending()) await deliveries.deliver(id);
    expect(await t.store.webhooks.get(webhook.id)).toMatchObject({
      enabled: false,
      disabled_reason: 'It answered 410 Gone.',
    });
    expect(await log(webhook.id)).toMatchObject([{ status: 'failed', attempts: 1 }]);
  });

  test('a rotated secret signs beside the old one until the overlap is over', async () => {
    const { webhook, secret: old } = await hook();
    const { secret } = await t.store.webhooks.rotate(webhook.id, 60, null);
    expect(secret).not.toBe(old);
    await t.store.webhooks.test(webhook.id);
    for (const id of await pending()) await deliveries.deliver(id);
    const [{ headers, body }] = received as [Received];
    for (const each of [secret, old])
      expect(new Verifier(each).verify(body, headers as Record<string, string>)).toMatchObject({
        type: 'webhook.test',
      });
    await t.store.webhooks.rotate(webhook.id, 0, null);
    await t.store.webhooks.test(webhook.id);
    for (const id of await pending()) await deliveries.deliver(id);
    const last = received.at(-1) as Received;
    expect(() => new Verifier(secret).verify(last.body, last.headers as Record<string, string>)).toThrow();
  });

  test.each([
    [
      'a redirect is not followed',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'It answered with status 302.',
    ],
    ['an answer that is no success', { status: 404 }, 'It answered with status 404.'],
  ])('%s', async (_name, wrong, error) => {
    answer = wrong;
    const { webhook } = await hook();
    await failingRun();
    for (const id of await pending()) await deliveries.deliver(id);
    expect(received).toHaveLength(1);
    expect(await log(webhook.id)).toMatchObject([{ status: 'pending', error }]);
  });

  test.each([
    'http://localhost:1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:127.0.0.1]:1/',
    'http://2130706433:1/',
  ])('OWASP API7: %s is not connected to unless the operator allows it', async (address) => {
    const strict = new Deliveries(t.store, outbound(''));
    const { webhook } = await hook({ url: address });
    await failingRun();
    for (const id of await pending()) await strict.deliver(id);
    await strict.close();
    expect(await log(webhook.id)).toMatchObject([
      { response_status: null, error: expect.stringContaining('may not be connected to') },
    ]);
  });

  test('where nobody answers, the log says so', async () => {
    const { webhook } = await hook({ url: 'http://127.0.0.1:1/' });
    await failingRun();
    for (const id of await pending()) await deliveries.deliver(id);
    expect(await log(webhook.id)).toMatchObject([
      { response_status: null, error: 'It could not be reached: ECONNREFUSED.' },
    ]);
  });

  test('a receiver that wants another shape gets it, with its own key in it, which is nowhere else', async () => {
    const template = {
      text: '{{summary}}',
      event_action: 'trigger',
      routing_key: '{{secret}}',
      payload: {
        severity: '{{severity}}',
        source: ['freshet', '{{type}}'],
        custom_details: '{{data}}',
        code: '{{data.error.code}}',
        odd: '{{nothing}} {{data.__proto__}}',
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
    await failingRun();
    for (const id of await pending()) await deliveries.deliver(id);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      text: 'tickets could not be synchronised: The key is refused.',
      routing_key: 'the-key-of-the-pager',
      payload: {
        severity: 'error',
        source: ['freshet', 'object.failed'],
        custom_details: { object: 'tickets' },
        code: 'source_auth',
        odd: '{{nothing}} {{data.__proto__}}',
      },
    });
    expect(received[0]?.path).toBe('/hook/the-key-of-the-pager');
    const stored = JSON.stringify(await t.database.sql`select * from freshet.webhooks`);
    expect(stored).not.toContain('the-key-of-the-pager');
    expect(JSON.stringify(await log(webhook.id))).not.toContain('the-key-of-the-pager');
  });
});

describe('mail', () => {
  interface Mail {
    readonly from: string;
    readonly to: readonly string[];
    readonly text: string;
  }
  let server: SMTPServer;
  let mails: Mail[];
  let refuses: boolean;
  let sending: Deliveries;

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
          if (refuses) return done(Object.assign(new Error('full'), { responseCode: 452 }));
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
    sending = new Deliveries(t.store, outbound(''), {
      smtpUrl: `smtp://freshet:the-password-of-the-mail-server@127.0.0.1:${port}`,
      from: 'freshet@example.com',
    });
  });
  beforeEach(() => {
    mails = [];
    refuses = false;
  });
  afterAll(async () => {
    await sending.close();
    server.close();
  });

  test('an event goes to each address, once, and says what is wrong in its subject', async () => {
    const { webhook } = await hook({ url: 'mailto:ops@example.com,second@example.com' });
    await failingRun();
    for (const id of await pending()) await sending.deliver(id);
    expect(mails).toHaveLength(1);
    const [{ from, to, text }] = mails as [Mail];
    expect([from, to]).toEqual(['freshet@example.com', ['ops@example.com', 'second@example.com']]);
    expect(text).toMatch(/^Subject: \[Freshet error\] Run .*\s+has\s+failed/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(text).toContain('"status": "failed"');
    expect(await log(webhook.id)).toMatchObject([{ status: 'delivered', response_status: null, error: null }]);
  });

  test('a mail that is not taken is tried again; a deployment without a mail server says so', async () => {
    refuses = true;
    const { webhook } = await hook({ url: 'mailto:ops@example.com' });
    await failingRun();
    const [id] = (await pending()) as [string];
    await sending.deliver(id);
    expect(await log(webhook.id)).toMatchObject([
      { status: 'pending', error: 'The mail server did not take it: 452.' },
    ]);
    await deliveries.deliver(id);
    expect(await log(webhook.id)).toMatchObject([{ status: 'pending', error: expect.stringContaining('SMTP_URL') }]);
    refuses = false;
    await sending.deliver(id);
    expect(await log(webhook.id)).toMatchObject([{ status: 'delivered' }]);
    expect(mails).toHaveLength(1);
  });

  test('a mail server that sends a byte now and then is given up after a total time', async () => {
    const server = createTcpServer((socket) => {
      const timer = setInterval(() => socket.write('2'), 20);
      socket.on('close', () => clearInterval(timer)).on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const smtpUrl = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slow = new Deliveries(t.store, outbound('127.0.0.0/8'), {
      smtpUrl,
      from: 'freshet@example.com',
      totalMs: 300,
    });
    const { webhook } = await hook({ url: 'mailto:ops@example.com' });
    await failingRun();
    for (const id of await pending()) expect(await slow.deliver(id)).toBe(false);
    expect(await log(webhook.id)).toMatchObject([
      { status: 'pending', error: expect.stringContaining('The mail server did not take it') },
    ]);
    await slow.close();
    server.close();
  });
});
