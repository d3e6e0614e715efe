/**
 * Checks of the Helm chart: it renders valid resources for every supported Kubernetes version,
 * rejects unknown values, and can replace the chart of the last release.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { findLastRelease, HELM, installGoProgram, runOrExit } from '../programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const CHART = 'deploy/helm/freshet';
/** Kinds of custom resources. Their schemas are not part of Kubernetes. */
const CUSTOM_RESOURCES = ['ScaledObject', 'PodMonitor'];
/** Sets of values that together use every branch of the templates. */
const VALUES = {
  defaults: {},
  options: {
    keda: { enabled: true },
    podMonitor: { enabled: true },
    ingress: {
      enabled: true,
      className: 'nginx',
      annotations: { 'example.com/size': '8m' },
      host: 'freshet.example.com',
      tlsSecret: 'tls',
    },
    service: { type: 'LoadBalancer', annotations: { 'example.com/internal': 'true' } },
    image: { repository: 'registry.example.com/freshet', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: ['registry'],
    env: { LOG_LEVEL: 'debug' },
    extractWorker: { env: { FRESHET_CONCURRENCY: '8' } },
    podAnnotations: { 'example.com/team': 'data' },
    podLabels: { team: 'data' },
    priorityClassName: 'high',
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'data', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { podAntiAffinity: {} },
    spreadOver: 'topology.kubernetes.io/zone',
  },
  minimum: { networkPolicy: { enabled: false }, spreadOver: '', image: { tag: 'edge' } },
};

/**
 * @param {string} python the folder with the programs of the Python environment `deploy`.
 * @param {string} folder a temporary folder.
 * @param {string[]} problems receives a line for each problem.
 */
export function checkChart(python, folder, problems) {
  const helm = installGoProgram(ROOT, HELM);
  const chart = join(ROOT, CHART);
  const files = Object.entries(VALUES).map(([name, values]) => {
    const file = join(folder, `values-${name}.yaml`);
    writeFileSync(file, JSON.stringify(values));
    return file;
  });
  runOrExit(helm, ['lint', '--strict', '--quiet', chart]);
  checkVersions({ helm, chart, files, python, folder });
  checkSchema({ helm, chart, problems });
  checkUpgrade({ helm, chart, files, folder, problems });
}

/** Renders and validates the chart for all versions from the oldest to the newest. */
function checkVersions({ helm, chart, files, python, folder }) {
  const { kubeVersion, annotations } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'));
  const oldest = Number(/1\.(\d+)/.exec(kubeVersion)[1]);
  const newest = Number(annotations['freshet.dev/newest-kubernetes'].split('.')[1]);
  for (let minor = oldest; minor <= newest; minor += 1) {
    const documents = files.flatMap((values) => render(helm, chart, values, `1.${minor}`));
    const file = join(folder, `kubernetes-1.${minor}.yaml`);
    const builtIn = documents.filter(({ kind }) => !CUSTOM_RESOURCES.includes(kind));
    writeFileSync(file, builtIn.map((document) => JSON.stringify(document)).join('\n---\n'));
    const { status, stdout, stderr } = spawnSync(
      join(python, 'kubernetes-validate'),
      ['--strict', '--no-warn', '--quiet', '-k', `1.${minor}`, file],
      { encoding: 'utf8' },
    );
    if (status === 0) continue;
    console.error(`helm: invalid for Kubernetes 1.${minor}:\n${stdout}${stderr}`);
    process.exit(1);
  }
}

function render(helm, chart, values, version) {
  const args = ['template', 'freshet', chart, '--kube-version', version, '--values', values];
  return parseAllDocuments(execFileSync(helm, args, { encoding: 'utf8' }))
    .map((document) => document.toJS())
    .filter((document) => document !== null);
}

/** The chart's schema must reject unknown values, and an ingress without a host. */
function checkSchema({ helm, chart, problems }) {
  for (const value of ['api.replica=3', 'unknown=1', 'ingress.enabled=true', 'image.digest=latest']) {
    const { status } = spawnSync(helm, ['template', 'freshet', chart, '--kube-version', '1.35', '--set', value]);
    if (status === 0) problems.push(`helm: the chart accepts ${value}.`);
  }
}

/**
 * Compares the resources with those of the last release. `helm upgrade` fails if a resource has a
 * different value in an immutable field, and it deletes resources that the new chart lacks.
 */
function checkUpgrade({ helm, chart, files, folder, problems }) {
  const released = findLastRelease(ROOT);
  if (released === null) return;
  mkdirSync(join(folder, 'released'));
  runOrExit('bash', ['-c', `git archive ${released} ${CHART} | tar -x -C '${join(folder, 'released')}'`], {
    cwd: ROOT,
  });
  const oldChart = join(folder, 'released', CHART);
  // The old values must stay valid.
  const [defaults] = files;
  for (const values of [defaults, join(oldChart, 'values.yaml')]) {
    const newResources = index(render(helm, chart, values, '1.35'));
    const oldResources = index(render(helm, oldChart, values, '1.35'));
    for (const [name, old] of oldResources) {
      const resource = newResources.get(name);
      if (resource === undefined) problems.push(`helm upgrade from ${released}: ${name} is deleted.`);
      else compareImmutableFields(name, old, resource, problems);
    }
  }
}

/** Each upgrade replaces the hooks, so they are not compared. */
function index(documents) {
  const resources = documents.filter(({ metadata }) => !metadata.annotations?.['helm.sh/hook']);
  return new Map(resources.map((document) => [`${document.kind} ${document.metadata.name}`, document]));
}

function compareImmutableFields(name, old, resource, problems) {
  const [before, after] = [old.spec.selector, resource.spec.selector].map((selector) => JSON.stringify(selector));
  if (old.kind === 'Deployment' && before !== after)
    problems.push(`helm upgrade: the immutable selector of ${name} changes from ${before} to ${after}.`);
  if (old.apiVersion !== resource.apiVersion)
    problems.push(`helm upgrade: the API version of ${name} changes to ${resource.apiVersion}.`);
  // The service must send requests to the old pods until the new pods are ready.
  if (old.kind === 'Service' && before !== after)
    problems.push(`helm upgrade: ${name} no longer selects the pods of the last release.`);
}
