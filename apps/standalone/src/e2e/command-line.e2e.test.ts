import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Freshet } from '@freshet/client';
import { findProcessModule } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** Runs the `freshet` command as a user does. */

const MAIN = findProcessModule('apps/freshet/src/main');

interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function startCommand(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function runFreshet(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<CommandResult> {
  const child = startCommand(args, env);
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

describe('freshet apply, diff and export', () => {
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
    analytics: true
    analytics_time_zone: Eastern Time (US & Canada)
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

  const apply = (manifest: string, ...options: string[]) =>
    runFreshet(['apply', '-f', '-', '--yes', ...options], env, manifest);
  const diff = (manifest: string, ...options: string[]) => runFreshet(['diff', '-f', '-', ...options], env, manifest);

  test('apply shows the plan and creates the resources, and a second apply finds no changes', async () => {
    const unconfirmed = await runFreshet(['apply', '-f', '-'], env, file);
    expect(unconfirmed).toMatchObject({ status: 1, stderr: expect.stringContaining('--yes') });
    expect(unconfirmed.stdout).toContain('+ create pipelines "acme"');
    const first = await apply(file);
    expect(first.stderr).toBe('');
    expect(first.status).toBe(0);
    expect(first.stdout).not.toContain('demo-admin-key');
    expect(await apply(file)).toMatchObject({ status: 0, stdout: 'No changes. The deployment matches the file.\n' });
    expect((await diff(file)).status).toBe(0);
    const [pipeline] = (await deployment.api.get('/v1/pipelines')).data;
    expect(pipeline).toMatchObject({
      status: 'paused',
      analytics: true,
      analytics_time_zone: 'Eastern Time (US & Canada)',
      schedule: { cron: '30 6 * * 1-5' },
      source: { historical_sync_days: null },
    });
  });

  test('apply updates changed fields, and does not change fields that the file does not contain', async () => {
    const changed = file
      .replace('status: paused', 'status: active\n    frequency_minutes: 60')
      .replace('historical_sync_days: null', 'historical_sync_days: 90')
      .replace('Eastern Time (US & Canada)', 'Europe/Berlin')
      .replace('[run.failed]', '[run.failed, job.died]');
    const plan = await diff(changed);
    expect(plan.status).toBe(2);
    expect(plan.stdout.split('\n').filter((line) => line !== '')).toEqual([
      '~ update pipelines "acme"',
      '    frequency_minutes: 360 → 60',
      '    analytics_time_zone: "Eastern Time (US & Canada)" → "Europe/Berlin"',
      '    source.historical_sync_days: null → 90',
      '~ resume pipelines "acme"',
      '~ update webhooks "slack"',
      '    events: ["run.failed"] → ["run.failed","job.died"]',
    ]);
    expect((await apply(changed)).status).toBe(0);
    expect((await diff(changed)).status).toBe(0);
    const rotated = await runFreshet(['diff', '-f', '-'], { ...env, ACME_KEY: 'a-rotated-api-token' }, changed);
    expect(rotated.stdout).toBe('~ update credentials "acme key"\n    api_key: (secret changed)\n');
    expect((await diff(changed, '--secrets')).stdout).toContain('template_secret: (secret changed)');
  });

  test('export prints a file that matches the deployment and contains no secrets', async () => {
    const { stdout, status } = await runFreshet(['export'], env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/api_key: \$\{env:ACME_KEY\}/);
    expect(stdout).toContain('analytics: true');
    expect(stdout).not.toContain('analytics_refresh');
    for (const secret of ['demo-admin-key', 'T0/B0/X']) expect(stdout).not.toContain(secret);
    const variables = { ...env, SLACK: 'T0/B0/X' };
    expect(await runFreshet(['diff', '-f', '-', '--prune'], variables, stdout)).toMatchObject({
      status: 0,
      stdout: 'No changes. The deployment matches the file.\n',
    });
  });

  test('doctor tests the processes and the connections of a running deployment', async () => {
    const { status, stdout } = await runFreshet(['doctor', '--json'], {
      ...env,
      DATABASE_URL: deployment.control.url,
      FRESHET_SECRET_KEYS: deployment.secretKeys,
    });
    expect(status).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { check: string }[] };
    expect(checks.find(({ check }) => check === 'api')).toMatchObject({
      status: 'failed',
      message: 'These processes are not running: extract-worker, load-worker, scheduler.',
    });
    expect(checks.find(({ check }) => check === 'connections')).toMatchObject({
      status: 'ok',
      message: '2 connections to warehouses and accounts work.',
    });
  });

  test('create-token prints a token that the running API accepts, and the audit log contains its creation', async () => {
    const created = await runFreshet(['create-token', '--name', 'CI', '--role', 'observer', '--expires', '12h'], {
      DATABASE_URL: deployment.control.url,
    });
    expect(created).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^frt_\w{36}\n$/),
      stderr: expect.stringMatching(/^Created the token "CI" with the role observer\. The token expires at 20\S+Z\.\n/),
    });
    const api = new Freshet({ url: deployment.url, token: created.stdout.trim() });
    const token = await api.get('/v1/tokens/current');
    expect(token).toMatchObject({ name: 'CI', role: 'observer', permissions: ['read'] });
    const resource = `tokens/${token.id}`;
    const { data } = await deployment.api.get('/v1/audit-log', { params: { query: { resource } } });
    expect(data).toMatchObject([{ action: 'createToken', actor: { role: 'team_admin' }, after: { name: 'CI' } }]);
  });

  test('apply deletes resources that are missing from the file, but only if --prune is set', async () => {
    const without = file.slice(0, file.indexOf('webhooks:'));
    expect((await diff(without.replace('status: paused', 'status: active'))).stdout).not.toContain('delete');
    expect((await apply(without, '--prune')).stdout).toContain('- delete webhooks "slack"');
    expect((await deployment.api.get('/v1/webhooks')).data).toEqual([]);
  });

  test.each([
    ['no: [yaml', /not valid YAML/],
    ['[1]', /must contain an object/],
    ['tokens: []', /unknown key "tokens"/],
    ['pipelines: [{source: {}}]', /pipelines\[0\]: must be an object with a name/],
    ['credentials: [{name: a}, {name: a}]', /duplicate name "a"/],
    [
      `credentials: [{name: a, type: freshdesk_api_key, api_key: "\${env:NOWHERE}"}]`,
      /environment variable NOWHERE is not set/,
    ],
    [
      'destinations: [{name: a, credential: missing}]',
      /destination "a": credential: credential "missing" does not exist/,
    ],
    ['pipelines: [{name: acme, destination_schema: other}]', /cannot be changed/],
    // All problems are reported together, one per line.
    [
      `tokens: []\npipelines: [{source: {}}]\ncredentials: [{name: a, api_key: "\${env:NOWHERE}"}, {name: a}]`,
      /"tokens".*NOWHERE is not set.*duplicate name "a".*pipelines\[0\]/s,
    ],
    [
      'destinations: [{name: a, credential: missing}]\npipelines: [{name: acme, destination_schema: other, table_prefix: b_, status: asleep}]',
      /"missing" does not exist.*destination_schema cannot be changed.*table_prefix cannot be changed.*status must be/s,
    ],
  ])('diff rejects the file "%s" and states the cause', async (manifest, message) => {
    const { status, stderr } = await diff(manifest);
    expect(stderr).toMatch(message);
    expect(status).toBe(64);
  });

  test('apply reports the field that the API rejects', async () => {
    const { status, stderr } = await apply(file.replace('30 6 * * 1-5', '* * * * *'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\/schedule\/cron: /);
  });
});

test('freshet reports an unknown command, an unreadable file and missing settings', async () => {
  expect(await runFreshet(['dance'], {})).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('Usage: freshet'),
  });
  expect(await runFreshet(['apply', '-f', 'x'], {})).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('x: the file cannot be read'),
  });
  expect(await runFreshet(['export'], {})).toMatchObject({
    status: 78,
    stderr: expect.stringContaining('FRESHET_URL is missing'),
  });
  expect(await runFreshet(['load-worker'], {})).toMatchObject({
    status: 78,
    stderr: expect.stringContaining('DATABASE_URL is missing'),
  });
});

test('freshet <process> replaces itself with the process, which receives signals directly and completes an orderly shutdown', async () => {
  await using deployment = await Deployment.start({}, ['api']);
  expect(await runFreshet(['migrate'], { DATABASE_URL: deployment.control.url })).toMatchObject({ status: 0 });
  const worker = startCommand(['load-worker'], {
    DATABASE_URL: deployment.control.url,
    FRESHET_SECRET_KEYS: deployment.secretKeys,
  });
  let stdout = '';
  worker.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    // Send only one signal, because a second signal ends the process immediately.
    if (text.includes('"started"')) worker.kill('SIGTERM');
  });
  const [status] = (await once(worker, 'close')) as [number];
  expect(stdout).toContain('"stopped"');
  expect(status).toBe(0);
});
