import { type DeployedResource, type DeployedResources, replaceIdsByNames } from './deployed-resources.ts';
import { type Manifest, type ManifestItem, RESOURCE_KINDS } from './manifest.ts';

/** The fields that only Freshet sets. A manifest does not contain them. */
const READ_ONLY_FIELDS = [
  'id',
  'created_at',
  'updated_at',
  'hint',
  'rotated_at',
  'next_run_at',
  'next_audit_at',
  'paused_by',
  'analytics_refresh',
  'disabled_reason',
  'failing_since',
  'previous_until',
  'has_template_secret',
];

/**
 * Converts a deployment to a manifest. Secrets are write-only, so each secret becomes a reference
 * to an environment variable.
 */
export function toManifest(deployed: DeployedResources): Manifest {
  const entries = RESOURCE_KINDS.map((kind) => [
    kind,
    // The API lists the newest resource first, and the manifest lists the oldest resource first.
    deployed[kind]
      .toReversed()
      .map((resource) => toManifestItem(resource, replaceIdsByNames(kind, resource, deployed))),
  ]);
  return Object.fromEntries(entries) as unknown as Manifest;
}

function toManifestItem(resource: DeployedResource, namedFields: Record<string, unknown>): ManifestItem {
  const fields = Object.entries(namedFields).filter(([field]) => !READ_ONLY_FIELDS.includes(field));
  const reference = `\${env:${resource.name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}}`;
  const secretField = findSecretField(resource);
  const secret = secretField === null ? {} : { [secretField]: reference };
  return { ...Object.fromEntries(fields), ...secret } as unknown as ManifestItem;
}

function findSecretField(resource: DeployedResource): string | null {
  if (resource['type'] === 'freshdesk_api_key') return 'api_key';
  if (resource['type'] === 'postgres_password') return 'password';
  return resource['has_template_secret'] === true ? 'template_secret' : null;
}
