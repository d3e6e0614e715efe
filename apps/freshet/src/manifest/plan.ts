import { isDeepStrictEqual } from 'node:util';
import { type DeployedResource, type DeployedResources, REFERENCES, replaceIdsByNames } from './deployed-resources.ts';
import { flattenSource, getField, setField } from './field-paths.ts';
import {
  isSecretField,
  type Manifest,
  type ManifestItem,
  RESOURCE_KINDS,
  type ResourceKind,
  rejectProblems,
  toSingular,
} from './manifest.ts';

/** One request that changes the deployment. */
export interface PlanStep {
  readonly action: 'create' | 'update' | 'delete' | 'pause' | 'resume';
  readonly kind: ResourceKind;
  readonly name: string;
  /** The fields of the request, in the format of the manifest. The fields include secrets. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The changed fields for display, one per line, without secrets. */
  readonly changes: readonly string[];
}

export interface PlanOptions {
  /** Whether to delete resources that the manifest does not contain. */
  readonly prune: boolean;
  /** Whether to send all secrets, including secrets that appear to be unchanged. */
  readonly secrets: boolean;
}

/** The fields that the API cannot update. */
const IMMUTABLE_FIELDS: Readonly<Partial<Record<ResourceKind, readonly string[]>>> = {
  credentials: ['type'],
  destinations: ['type'],
  pipelines: ['destination', 'destination_schema', 'table_prefix', 'source.type', 'source.subdomain'],
};

/** The API returns a hint for each secret: this many characters from the end of the secret. */
const HINT_LENGTH = 4;

/**
 * Compares a manifest with the deployment. Fields that the manifest does not contain stay
 * unchanged.
 * @returns the steps that make the deployment match the manifest, in the order of their execution.
 * @throws AppError `invalid_input` that lists changes of immutable fields and unresolved
 *   references.
 */
export function createPlan(manifest: Manifest, deployed: DeployedResources, options: PlanOptions): PlanStep[] {
  const problems: string[] = [];
  const steps = RESOURCE_KINDS.flatMap((kind) =>
    manifest[kind].flatMap((item) => {
      checkReferences(kind, item, manifest, deployed, problems);
      const resource = deployed[kind].find(({ name }) => name === item.name);
      if (resource === undefined) return planCreation(kind, item);
      const current = replaceIdsByNames(kind, resource, deployed);
      return planUpdate({ kind, item, resource, current, sendsAllSecrets: options.secrets, problems });
    }),
  );
  rejectProblems(problems);
  return options.prune ? [...steps, ...planDeletions(manifest, deployed)] : steps;
}

function planCreation(kind: ResourceKind, { status, ...fields }: ManifestItem): PlanStep[] {
  const { name } = fields;
  const changes = Object.entries(flattenSource(fields)).map(([field, value]) => `${field}: ${format(field, value)}`);
  const create: PlanStep = { action: 'create', kind, name, fields, changes };
  const isPaused = kind === 'pipelines' && status === 'paused';
  return isPaused ? [create, { action: 'pause', kind, name, fields: {}, changes: [] }] : [create];
}

function planUpdate(options: {
  readonly kind: ResourceKind;
  readonly item: ManifestItem;
  readonly resource: DeployedResource;
  /** The deployed resource, in the format of the manifest. */
  readonly current: Readonly<Record<string, unknown>>;
  readonly sendsAllSecrets: boolean;
  readonly problems: string[];
}): PlanStep[] {
  const { kind, item, resource, current, sendsAllSecrets, problems } = options;
  const { status, ...fields } = item;
  const { name } = fields;
  const changedFields: Record<string, unknown> = {};
  const changes: string[] = [];
  for (const [path, value] of Object.entries(flattenSource(fields))) {
    if (isSecretField(path)) {
      if (!sendsAllSecrets && isProbablyUnchanged(resource, path, value)) continue;
      changes.push(`${path}: (secret changed)`);
    } else {
      const currentValue = getField(current, path);
      if (isDeepStrictEqual(currentValue, value)) continue;
      if (IMMUTABLE_FIELDS[kind]?.includes(path))
        problems.push(
          `${toSingular(kind)} "${name}": ${path} cannot be changed from ${JSON.stringify(currentValue)} to ${JSON.stringify(value)}. Create a new resource instead.`,
        );
      changes.push(`${path}: ${format(path, currentValue)} → ${format(path, value)}`);
    }
    setField(changedFields, path, value);
  }
  const steps: PlanStep[] =
    changes.length === 0 ? [] : [{ action: 'update', kind, name, fields: changedFields, changes }];
  if (kind !== 'pipelines' || status === undefined || status === resource['status']) return steps;
  if (status !== 'paused' && status !== 'active') problems.push(`pipeline "${name}": status must be active or paused.`);
  return [...steps, { action: status === 'paused' ? 'pause' : 'resume', kind, name, fields: {}, changes: [] }];
}

/**
 * Plans the deletion of the resources that the manifest does not contain. The kinds are in reverse
 * order, so that a resource is deleted only after all resources that refer to it.
 */
function planDeletions(manifest: Manifest, deployed: DeployedResources): PlanStep[] {
  return RESOURCE_KINDS.toReversed().flatMap((kind) =>
    deployed[kind]
      .filter(({ name }) => !manifest[kind].some((item) => item.name === name))
      .map(({ name }): PlanStep => ({ action: 'delete', kind, name, fields: {}, changes: [] })),
  );
}

/**
 * Compares a secret with the information that the API returns about the secret: its last
 * characters, or whether the secret is set.
 */
function isProbablyUnchanged(resource: DeployedResource, field: string, value: unknown): boolean {
  if (field === 'template_secret') return (value !== null) === resource['has_template_secret'];
  return typeof value === 'string' && resource['hint'] === value.slice(-HINT_LENGTH);
}

function checkReferences(
  kind: ResourceKind,
  item: ManifestItem,
  manifest: Manifest,
  deployed: DeployedResources,
  problems: string[],
): void {
  for (const [path, { kind: targetKind }] of Object.entries(REFERENCES[kind] ?? {})) {
    const name = getField(item, path);
    if (name === undefined) continue;
    const targets = [...manifest[targetKind], ...deployed[targetKind]];
    if (!targets.some((target) => target.name === name))
      problems.push(
        `${toSingular(kind)} "${item.name}": ${path}: ${toSingular(targetKind)} "${String(name)}" does not exist in the file or in the deployment.`,
      );
  }
}

function format(field: string, value: unknown): string {
  return isSecretField(field) ? '(secret)' : JSON.stringify(value);
}
