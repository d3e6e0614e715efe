#!/usr/bin/env node
/**
 * `npm run check:deploy`: renders, lints and validates the files in deploy/ with their standard
 * tools. Requires Python 3 with venv, Go, access to PyPI and to the Go module proxy, and `promtool`
 * and `systemd-analyze` on the PATH. It builds no container and needs no cluster.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { createPythonEnvironment, runOrExit } from './programs.mjs';
import { checkChart } from './release/chart.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

const folder = mkdtempSync(join(tmpdir(), 'freshet-deploy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const python = createPythonEnvironment(ROOT, 'deploy', join(ROOT, 'deploy/requirements.txt'));
const problems = [];

checkChart(python, folder, problems);
runOrExit(join(python, 'hadolint'), [join(ROOT, 'deploy/Dockerfile')]);
runOrExit('promtool', ['check', 'rules', join(ROOT, 'deploy/prometheus/alerts.yaml')]);
checkSystemdUnit();
checkMetricNames();
checkGrafana();
checkCompose();
checkRunbooks();

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log('All files in deploy/ are valid.');

function checkSystemdUnit() {
  // macOS has no systemd.
  if (process.platform === 'darwin') return;
  // Remove the user and the group, because `systemd-analyze verify` fails if they do not exist on
  // this machine.
  const unit = readFileSync(join(ROOT, 'deploy/systemd/freshet@.service'), 'utf8').replace(/^(User|Group)=.*$/gm, '');
  const file = join(folder, 'freshet@.service');
  writeFileSync(file, unit);
  runOrExit('systemd-analyze', ['verify', '--man=no', join(folder, 'freshet@api.service')], { cwd: folder });
}

/** Checks that the processes export every metric that the dashboard and the alert rules use. */
function checkMetricNames() {
  const sources = ['apps', 'packages'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\/src\/.+\.ts$/.test(file) && !/node_modules|\.test\.ts$/.test(file))
      .map((file) => readFileSync(join(ROOT, top, file), 'utf8')),
  );
  const known = new Set(
    [...sources.join('\n').matchAll(/\.(?:create)?(?:counter|gauge|histogram)\(\s*'([a-z_]+)'/gi)].map(
      ([, name]) => name,
    ),
  );
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/freshet.json'), 'utf8'));
  const expressions = [
    ...panels.flatMap((panel) => panel.targets.map((target) => target.expr)),
    ...loadRules().map((rule) => rule.expr),
  ];
  for (const expression of expressions) {
    for (const [, name] of expression.matchAll(/\bfreshet_([a-z_]+)\b/g)) {
      if (!known.has(name.replace(/_(bucket|count|sum)$/, '')))
        problems.push(`No process exports the metric freshet_${name}, which the dashboard or an alert rule uses.`);
    }
  }
}

/**
 * Checks that the dashboards have different ids, and that the data source of the provisioning files
 * has the type that the dashboard over the models selects. An end-to-end test runs the queries of
 * this dashboard.
 */
function checkGrafana() {
  const folder = join(ROOT, 'deploy/grafana');
  const dashboards = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  if (new Set(dashboards.map(({ uid }) => uid)).size < dashboards.length)
    problems.push('grafana: two dashboards have the same uid.');
  const provisioning = (kind) => parse(readFileSync(join(folder, 'provisioning', kind, 'freshet.yaml'), 'utf8'));
  const types = provisioning('datasources').datasources.map(({ type }) => type);
  const { list } = dashboards.find(({ uid }) => uid === 'freshet-analytics').templating;
  const selected = list.find(({ type }) => type === 'datasource').query;
  if (!types.includes(selected)) problems.push(`grafana: no provisioned data source has the type ${selected}.`);
  if (provisioning('dashboards').providers.some(({ type }) => type !== 'file'))
    problems.push('grafana: a provider of dashboards does not read files.');
}

function loadRules() {
  return parse(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yaml'), 'utf8')).groups.flatMap(
    (group) => group.rules,
  );
}

/** Checks that every alert has a runbook in docs/operations.md. */
function checkRunbooks() {
  const guide = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  for (const { alert } of loadRules())
    if (!guide.includes(`### ${alert}\n`)) problems.push(`docs/operations.md has no runbook for ${alert}.`);
}

/**
 * Checks that the services of the Compose file refer to existing secrets and services and have
 * health checks, and that the services that are built from this repository have a read-only root
 * file system, no capabilities and a memory limit. The image contains their health check.
 */
function checkCompose() {
  const file = parse(readFileSync(join(ROOT, 'deploy/compose.yaml'), 'utf8'), { merge: true });
  for (const [name, service] of Object.entries(file.services)) {
    for (const secret of service.secrets ?? [])
      if (!(secret in file.secrets)) problems.push(`compose: ${name} uses the secret ${secret}, which is not defined.`);
    for (const dependency of Object.keys(service.depends_on ?? {}))
      if (!(dependency in file.services))
        problems.push(`compose: ${name} depends on ${dependency}, which is not defined.`);
    const { build, read_only, cap_drop, security_opt, mem_limit, healthcheck } = service;
    if (!security_opt?.includes('no-new-privileges:true')) problems.push(`compose: ${name} can gain privileges.`);
    if (!build && !healthcheck?.test) problems.push(`compose: ${name} has no health check.`);
    if (!build) continue;
    if (read_only !== true) problems.push(`compose: ${name} has a writable root file system.`);
    if (cap_drop?.[0] !== 'ALL') problems.push(`compose: ${name} has capabilities.`);
    if (name === 'migrate') continue;
    if (mem_limit === undefined) problems.push(`compose: ${name} has no memory limit.`);
    if (healthcheck?.disable) problems.push(`compose: ${name} has no health check.`);
  }
}
