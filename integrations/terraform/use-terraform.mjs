#!/usr/bin/env node
/**
 * Uses the provider like a user of Terraform or OpenTofu, with the deployment at FRESHET_URL. Its
 * account must be the simulated account, and its warehouse is WAREHOUSE_URL.
 *
 * Usage: node use-terraform.mjs <the program of the provider>
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const VERSION = '0.1.0';
/** The exit status of `plan -detailed-exitcode` if the plan contains changes. */
const CHANGES = 2;
const API_KEY = 'a-key-of-the-simulator-AbC1';
const PASSWORD = decodeURIComponent(new URL(process.env.WAREHOUSE_URL).password);

const folder = mkdtempSync(join(tmpdir(), 'freshet-terraform-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const program = ['terraform', 'tofu'].find((name) => !spawnSync(name, ['version'], { stdio: 'ignore' }).error);
assert(program, 'terraform or tofu must be on the PATH.');
const environment = {
  ...process.env,
  TF_IN_AUTOMATION: '1',
  CHECKPOINT_DISABLE: '1',
  TF_CLI_CONFIG_FILE: installProvider(),
};
const example = readFileSync(join(HERE, 'examples/complete/main.tf'), 'utf8');
let variables = toVariables(API_KEY);

const project = createProject('project', example);
await step('creates all resources', () => {
  terraform(project, 'apply', '-auto-approve');
});
const pipelineId = terraform(project, 'output', '-raw', 'pipeline_id').stdout.trim();
const getPipeline = () => call('GET', `/v1/pipelines/${pipelineId}`);

await step('plans no change after an apply', () => assertPlan(project, 0));
await step('stores no secret in the state', () => {
  const state = readFileSync(join(project, 'terraform.tfstate'), 'utf8');
  for (const secret of [API_KEY, PASSWORD]) assert(!state.includes(secret));
});
await step('keeps fields that the configuration omits', async () => {
  await call('PATCH', `/v1/pipelines/${pipelineId}`, { frequency_minutes: 720, audit_frequency_days: null });
  assertPlan(project, 0);
  write(project, example.replace('historical_sync_days = 0', 'historical_sync_days = 90'));
  terraform(project, 'apply', '-auto-approve');
  const { source, frequency_minutes, audit_frequency_days, schedule } = await getPipeline();
  assert.equal(source.historical_sync_days, 90);
  assert.equal(source.credit_share_percent, 80);
  assert.equal(frequency_minutes, 720);
  assert.equal(audit_frequency_days, null);
  assert.equal(schedule.time_zone, 'Europe/Berlin');
  assertPlan(project, 0);
});
await step('repairs a field of the configuration that was changed elsewhere', async () => {
  write(project, example);
  await call('PATCH', `/v1/pipelines/${pipelineId}`, { schedule: null });
  assertPlan(project, CHANGES, /schedule/);
  terraform(project, 'apply', '-auto-approve');
  assert.equal((await getPipeline()).schedule.cron, '30 6 * * 1-5');
});
await step('removes an optional setting, and pauses the pipeline', async () => {
  const changed = example.replace(/^ +schedule +=.*$/m, '  paused = true');
  write(project, changed);
  terraform(project, 'apply', '-auto-approve');
  const { schedule, status } = await getPipeline();
  assert.deepEqual([schedule, status], [null, 'paused']);
  assertPlan(project, 0);
});
await step('sends a new secret, which it detects without storing secrets', async () => {
  write(project, example.replace('  schedule ', '  paused = false\n  schedule '));
  variables = toVariables('another-key-of-the-simulator-XyZ2');
  assertPlan(project, CHANGES, /freshet_credential.freshdesk will be updated in-place/);
  terraform(project, 'apply', '-auto-approve');
  assertPlan(project, 0);
  const [credential] = (await call('GET', '/v1/credentials?name=terraform%20key')).data;
  assert.equal(credential.hint, 'XyZ2');
  variables = toVariables('a-third-key-of-the-simulator-XyZ2');
  assertPlan(project, 0);
  write(project, example.replace(/^ +api_key .*$/m, '$&\n  secret_version = "2"'));
  terraform(project, 'apply', '-auto-approve');
  const [rotated] = (await call('GET', '/v1/credentials?name=terraform%20key')).data;
  assert.notEqual(rotated.rotated_at, credential.rotated_at);
});
await step('refuses to destroy and to replace a protected pipeline', async () => {
  assert.match(terraformFails(project, 'destroy', '-auto-approve'), /deletion_protection is true/);
  write(project, example.replace('freshdesk_terraform', 'freshdesk_other'));
  assert.match(terraformFails(project, 'plan'), /deletion_protection is true/);
  assert.equal((await getPipeline()).destination_schema, 'freshdesk_terraform');
  write(project, example);
});
await step('imports resources by name or id, and plans no change', () => {
  const imports = {
    'freshet_credential.freshdesk': 'terraform key',
    'freshet_credential.warehouse': 'terraform password',
    'freshet_destination.warehouse': 'terraform warehouse',
    'freshet_pipeline.tickets': pipelineId,
    'freshet_webhook.alerts': 'terraform alerts',
  };
  const blocks = Object.entries(imports).map(([to, id]) => `import {\n  to = ${to}\n  id = "${id}"\n}\n`);
  const imported = createProject('imported', `${blocks.join('\n')}\n${example}`);
  const { stdout } = terraform(imported, 'apply', '-auto-approve');
  assert.match(stdout, /5 imported, 0 added, 0 changed, 0 destroyed/);
  assertPlan(imported, 0);
});
await step('reports an error of the API at the attribute', () => {
  write(project, example.replace('"30 6 * * 1-5"', '"61 6 * * 1-5"'));
  assert.match(terraformFails(project, 'apply', '-auto-approve'), /schedule\/cron/);
});
await step('destroys all resources after the protection was removed', async () => {
  write(project, example.replace('  schedule ', '  deletion_protection = false\n  schedule '));
  terraform(project, 'apply', '-auto-approve');
  terraform(project, 'destroy', '-auto-approve');
  assert.equal((await request('GET', `/v1/pipelines/${pipelineId}`)).status, 404);
});
console.log('Terraform: all steps passed.');

/** Puts the provider into a file system mirror, from which `init` installs it. */
function installProvider() {
  const architecture = { x64: 'amd64' }[process.arch] ?? process.arch;
  for (const host of ['registry.terraform.io', 'registry.opentofu.org']) {
    const mirror = join(folder, 'mirror', host, 'freshet/freshet', VERSION, `${process.platform}_${architecture}`);
    mkdirSync(mirror, { recursive: true });
    cpSync(process.argv[2], join(mirror, `terraform-provider-freshet_v${VERSION}`));
  }
  const file = join(folder, 'terraform.rc');
  writeFileSync(
    file,
    `provider_installation {\n  filesystem_mirror {\n    path = "${join(folder, 'mirror')}"\n  }\n}\n`,
  );
  return file;
}

function createProject(name, configuration) {
  const project = join(folder, name);
  mkdirSync(project);
  write(project, configuration);
  terraform(project, 'init');
  return project;
}

function write(project, configuration) {
  writeFileSync(join(project, 'main.tf'), configuration);
}

function toVariables(apiKey) {
  const { hostname, port, pathname, username } = new URL(process.env.WAREHOUSE_URL);
  const warehouse = { host: hostname, port: Number(port), database: pathname.slice(1), username, ssl_mode: 'disable' };
  return {
    TF_VAR_subdomain: 'demo',
    TF_VAR_freshdesk_api_key: apiKey,
    TF_VAR_warehouse: JSON.stringify(warehouse),
    TF_VAR_warehouse_password: PASSWORD,
  };
}

function run(project, args) {
  const color = ['init', 'plan', 'apply', 'destroy'].includes(args[0]) ? ['-no-color', '-input=false'] : [];
  const env = { ...environment, ...variables };
  return spawnSync(program, [args[0], ...color, ...args.slice(1)], { cwd: project, env, encoding: 'utf8' });
}

/** Runs a command of Terraform that must succeed. */
function terraform(project, ...args) {
  const result = run(project, args);
  assert.equal(result.status, 0, `${args.join(' ')}:\n${result.stdout}${result.stderr}`);
  return result;
}

/** Runs a command that must fail. @returns its output without line breaks and frames. */
function terraformFails(project, ...args) {
  const { status, stdout, stderr } = run(project, args);
  assert.equal(status, 1, `${args.join(' ')} did not fail:\n${stdout}`);
  return `${stdout}${stderr}`.replace(/[\s│╷╵]+/g, ' ');
}

function assertPlan(project, expected, pattern = /./) {
  const { status, stdout, stderr } = run(project, ['plan', '-detailed-exitcode']);
  assert.equal(status, expected, `plan:\n${stdout}${stderr}`);
  assert.match(stdout, pattern);
}

async function step(title, check) {
  const started = performance.now();
  await check();
  console.log(`Terraform: ${title} (${Math.round(performance.now() - started)} ms)`);
}

function request(method, path, body) {
  return fetch(process.env.FRESHET_URL + path, {
    method,
    headers: { authorization: `Bearer ${process.env.FRESHET_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function call(method, path, body) {
  const response = await request(method, path, body);
  assert(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}
