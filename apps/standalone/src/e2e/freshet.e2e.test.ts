import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** The `freshet` command, as somebody types it. */

const MAIN = fileURLToPath(new URL('../../../freshet/src/main.ts', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function freshet(args: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<Ended> {
  const child = start(args, env);
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin?.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out, err };
}

describe('a deployment as a file', () => {
  let deployment: Deployment;
  let env: Record<string, string>;
  let file: string;

  beforeAll(async () => {
    deployment = await Deployment.start({}, ['api']);
    const warehouse = new URL(deployment.warehouse.warehouseUrl);
    env = {
      FRESHET_URL: deployment.url,
      FRESHET_TOKEN: deployment.token,
      ACME_KEY: 'demo-admin-key',
      WAREHOUSE_PASSWORD: decodeURIComponent(warehouse.password),
      SLACK: 'T0/B0/X',
    };
    file = `
credentials:
  - {name: acme key, type: freshdesk_api_key, api_key: "\${env:ACME_KEY}"}
  - {name: warehouse password, type: postgres_password, password: "\${env:WAREHOUSE_PASSWORD}"}
destinations:
  - name: warehouse
    type: postgres
    host: ${warehouse.hostname}
    port: ${warehouse.port}
    database: ${deployment.warehouse.name}
    username: ${warehouse.username}
    credential: warehouse password
    ssl_mode: disable
pipelines:
  - name: acme
    source: {type: freshdesk, subdomain: acme, credential: acme key, historical_sync_days: null}
    destination: warehouse
    schedule: {cron: "30 6 * * 1-5", time_zone: Europe/Berlin}
    status: paused
    objects:
      tickets: {included: true, history: true, columns: {subject: {hash: true}}}
      conversations: {included: false}
webhooks:
  - name: slack
    url: "https://hooks.example.com/{{secret}}"
    template: {text: "{{summary}}"}
    template_secret: "\${env:SLACK}"
    events: [run.failed]
`;
  });
  afterAll(() => deployment[Symbol.asyncDispose]());

  const apply = (text: string, ...more: string[]) => freshet(['apply', '-f', '-', '--yes', ...more], env, text);
  const diff = (text: string, ...more: string[]) => freshet(['diff', '-f', '-', ...more], env, text);

  test('is made by one command, shown before it is done, and done once', async () => {
    const asked = await freshet(['apply', '-f', '-'], env, file);
    expect(asked).toMatchObject({ status: 1, err: expect.stringContaining('--yes') });
    expect(asked.out).toContain('+ create pipelines "acme"');
    const first = await apply(file);
    expect(first.err).toBe('');
    expect(first.status).toBe(0);
    expect(first.out).not.toContain('demo-admin-key');
    expect(await apply(file)).toMatchObject({ status: 0, out: 'Everything is as the file says.\n' });
    expect((await diff(file)).status).toBe(0);
    const [pipeline] = (
      await deployment.api.call<{ data: { status: string; source: { historical_sync_days: null } }[] }>(
        'GET',
        '/v1/pipelines',
      )
    ).data;
    expect(pipeline).toMatchObject({
      status: 'paused',
      schedule: { cron: '30 6 * * 1-5' },
      source: { historical_sync_days: null },
    });
  });

  test('is changed field by field, and what it does not name stays', async () => {
    const changed = file
      .replace('status: paused', 'status: active\n    frequency_minutes: 60')
      .replace('historical_sync_days: null', 'historical_sync_days: 90')
      .replace('[run.failed]', '[run.failed, job.died]');
    const planned = await diff(changed);
    expect(planned.status).toBe(2);
    expect(planned.out.split('\n').filter((line) => line !== '')).toEqual([
      '~ change pipelines "acme"',
      '    frequency_minutes: 360 → 60',
      '    source.historical_sync_days: null → 90',
      '~ resume pipelines "acme"',
      '~ change webhooks "slack"',
      '    events: ["run.failed"] → ["run.failed","job.died"]',
    ]);
    expect((await apply(changed)).status).toBe(0);
    expect((await diff(changed)).status).toBe(0);
    const rotated = await freshet(['diff', '-f', '-'], { ...env, ACME_KEY: 'quite-another-one' }, changed);
    expect(rotated.out).toBe('~ change credentials "acme key"\n    api_key: another one\n');
    expect((await diff(changed, '--secrets')).out).toContain('template_secret: another one');
  });

  test('is exported as a file that says the same, without a secret', async () => {
    const { out, status } = await freshet(['export'], env);
    expect(status).toBe(0);
    expect(out).toMatch(/api_key: \$\{env:ACME_KEY\}/);
    for (const secret of ['demo-admin-key', 'T0/B0/X']) expect(out).not.toContain(secret);
    const variables = { ...env, SLACK: 'T0/B0/X' };
    expect(await freshet(['diff', '-f', '-', '--prune'], variables, out)).toMatchObject({
      status: 0,
      out: 'Everything is as the file says.\n',
    });
  });

  test('what stands in no file goes only where that is asked for', async () => {
    const without = file.slice(0, file.indexOf('webhooks:'));
    expect((await diff(without.replace('status: paused', 'status: active'))).out).not.toContain('delete');
    expect((await apply(without, '--prune')).out).toContain('- delete webhooks "slack"');
    expect((await deployment.api.call<{ data: unknown[] }>('GET', '/v1/webhooks')).data).toEqual([]);
  });

  test.each([
    ['no: [yaml', /not YAML/],
    ['[1]', /must hold an object/],
    ['tokens: []', /"tokens" is not known here/],
    ['pipelines: [{source: {}}]', /pipelines\[0\] must be an object with a name/],
    ['credentials: [{name: a}, {name: a}]', /another "a"/],
    [`credentials: [{name: a, type: freshdesk_api_key, api_key: "\${env:NOWHERE}"}]`, /NOWHERE is not set/],
    ['destinations: [{name: a, credential: nobody}]', /no "nobody" among the credentials/],
    ['pipelines: [{name: acme, destination_schema: other}]', /cannot be changed/],
    // All problems at once, one a line.
    [
      `tokens: []\npipelines: [{source: {}}]\ncredentials: [{name: a, api_key: "\${env:NOWHERE}"}, {name: a}]`,
      /"tokens".*NOWHERE is not set.*another "a".*pipelines\[0\]/s,
    ],
    [
      'destinations: [{name: a, credential: nobody}]\npipelines: [{name: acme, destination_schema: other, table_prefix: b_, status: asleep}]',
      /no "nobody".*destination_schema is.*table_prefix is.*status must be/s,
    ],
  ])('%s: is refused, with what would be right', async (text, why) => {
    const { status, err } = await diff(text);
    expect(err).toMatch(why);
    expect(status).toBe(64);
  });

  test('what the API refuses names the field', async () => {
    const { status, err } = await apply(file.replace('30 6 * * 1-5', '* * * * *'));
    expect(status).toBe(1);
    expect(err).toMatch(/^\/schedule\/cron: /);
  });
});

test('a command that is not known says which are, and settings that are missing are named', async () => {
  expect(await freshet(['dance'], {})).toMatchObject({ status: 64, err: expect.stringContaining('Usage: freshet') });
  expect(await freshet(['apply', '-f', 'x'], {})).toMatchObject({
    status: 64,
    err: expect.stringContaining('x cannot be read'),
  });
  expect(await freshet(['export'], {})).toMatchObject({
    status: 78,
    err: expect.stringContaining('FRESHET_URL is missing'),
  });
  expect(await freshet(['load-worker'], {})).toMatchObject({
    status: 78,
    err: expect.stringContaining('DATABASE_URL is missing'),
  });
});

test('a process is started by its name and is that process: signals reach it, and it ends as it should', async () => {
  await using deployment = await Deployment.start({}, ['api']);
  expect(await freshet(['migrate'], { DATABASE_URL: deployment.control.url })).toMatchObject({ status: 0 });
  const worker = start(['load-worker'], {
    DATABASE_URL: deployment.control.url,
    FRESHET_SECRET_KEYS: deployment.secretKeys,
  });
  let out = '';
  worker.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    // Once: a second signal would end it at once.
    if (text.includes('"working"')) worker.kill('SIGTERM');
  });
  const [status] = (await once(worker, 'close')) as [number];
  expect(out).toContain('"stopped"');
  expect(status).toBe(0);
});
