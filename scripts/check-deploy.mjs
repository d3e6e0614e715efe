#!/usr/bin/env node
/**
 * `npm run check:deploy`: what stands in deploy/ is rendered, linted and checked against schemas by the tools that are made for it. Needs Python 3 with
 * venv and Go, the registries of both, and `promtool` and `systemd-analyze` on the PATH. No container is built, and no cluster asked.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { must, pythonEnvironment } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const HELM = 'helm.sh/helm/v3/cmd/helm@v3.19.0';
/** The oldest and the newest that the chart is for. */
const KUBERNETES = ['1.27', '1.35'];
/** Resources of others, whose schemas are not Kubernetes' own. */
const FOREIGN = ['ScaledObject', 'PodMonitor'];

const folder = mkdtempSync(join(tmpdir(), 'freshet-deploy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const python = pythonEnvironment(ROOT, 'deploy', join(ROOT, 'deploy/requirements.txt'));
const problems = [];

chart();
must(join(python, 'hadolint'), [join(ROOT, 'deploy/Dockerfile')]);
must('promtool', ['check', 'rules', join(ROOT, 'deploy/prometheus/alerts.yaml')]);
units();
metrics();
compose();
runbooks();
image();

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log('What stands in deploy/ is rendered, linted and checked.');

function chart() {
  must('go', ['install', HELM], { env: { ...process.env, GOBIN: folder } });
  const helm = join(folder, 'helm');
  const path = join(ROOT, 'deploy/helm/freshet');
  const everything = [
    'keda.enabled=true',
    'podMonitor.enabled=true',
    'ingress.enabled=true',
    'ingress.host=freshet.example.com',
    'ingress.tlsSecret=tls',
  ];
  must(helm, ['lint', '--strict', path]);
  for (const version of KUBERNETES) {
    for (const values of [[], everything]) {
      const args = [
        'template',
        'freshet',
        path,
        '--kube-version',
        version,
        ...values.flatMap((value) => ['--set', value]),
      ];
      const rendered = execFileSync(helm, args, { encoding: 'utf8' });
      const own = parseAllDocuments(rendered).filter((document) => !FOREIGN.includes(document.toJS()?.kind));
      const file = join(folder, `${version}-${values.length}.yaml`);
      writeFileSync(file, own.map((document) => document.toString()).join('---\n'));
      must(join(python, 'kubernetes-validate'), ['--strict', '-k', version, file]);
    }
  }
  // Values that are wrong are refused by the chart's own schema.
  const wrong = spawnSync(helm, ['template', 'freshet', path, '--kube-version', '1.35', '--set', 'api.replica=3']);
  if (wrong.status === 0) problems.push('helm: a value that is not known was taken.');
}

function units() {
  // It looks for what the unit starts, and for its user.
  const unit = readFileSync(join(ROOT, 'deploy/systemd/freshet@.service'), 'utf8').replace(/^(User|Group)=.*$/gm, '');
  const file = join(folder, 'freshet@.service');
  writeFileSync(file, unit);
  must('systemd-analyze', ['verify', '--man=no', join(folder, 'freshet@api.service')], { cwd: folder });
}

/** Every metric that a dashboard or a rule asks for is one that a process has. */
function metrics() {
  const sources = ['apps', 'packages'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\/src\/(plugins\/)?(metrics|request-log)\.ts$/.test(file) && !file.includes('node_modules'))
      .map((file) => readFileSync(join(ROOT, top, file), 'utf8')),
  );
  const known = new Set(
    [...sources.join('\n').matchAll(/(?:counter|gauge|histogram)\(\s*'([a-z_]+)'/g)].map(([, name]) => name),
  );
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/freshet.json'), 'utf8'));
  const asked = [
    ...panels.flatMap((panel) => panel.targets.map((target) => target.expr)),
    ...rules().map((rule) => rule.expr),
  ];
  for (const expression of asked) {
    for (const [, name] of expression.matchAll(/\bfreshet_([a-z_]+)\b/g)) {
      if (!known.has(name.replace(/_(bucket|count|sum)$/, '')))
        problems.push(`No process has the metric freshet_${name}, which a dashboard or a rule asks for.`);
    }
  }
}

function rules() {
  return parse(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yaml'), 'utf8')).groups.flatMap(
    (group) => group.rules,
  );
}

/** What the image would hold, made as its Dockerfile makes it: its dependencies are enough for every process of it to start. */
function image() {
  const root = join(folder, 'image');
  mkdirSync(root);
  const dockerfile = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths]) => paths.split(' '));
  for (const path of copied)
    cpSync(join(ROOT, path), join(root, path), {
      recursive: true,
      filter: (file) => !/node_modules|\/dist$|\.test\.ts$|test-support$/.test(file.slice(ROOT.length)),
    });
  const install = /^RUN (npx .+)$/m.exec(dockerfile)?.[1];
  must('sh', ['-c', install], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler', 'migrate']) {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'apps/freshet/src/main.ts'), name], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    if (status !== 78 || !stderr.includes('DATABASE_URL is missing'))
      problems.push(`image: ${name} does not get as far as its settings: ${stderr}`);
  }
}

/** Every alert has its part in the operator's guide. */
function runbooks() {
  const guide = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  for (const { alert } of rules())
    if (!guide.includes(`### ${alert}\n`)) problems.push(`docs/operations.md has nothing to do about ${alert}.`);
}

/** Services refer to what is there. */
function compose() {
  const file = parse(readFileSync(join(ROOT, 'deploy/compose.yaml'), 'utf8'), { merge: true });
  for (const [name, service] of Object.entries(file.services)) {
    for (const secret of service.secrets ?? [])
      if (!(secret in file.secrets)) problems.push(`compose: ${name} wants the secret ${secret}, which is not there.`);
    for (const other of Object.keys(service.depends_on ?? {}))
      if (!(other in file.services)) problems.push(`compose: ${name} waits for ${other}, which is not there.`);
    if (service.build && service.read_only !== true) problems.push(`compose: ${name} may write to its root.`);
  }
}
