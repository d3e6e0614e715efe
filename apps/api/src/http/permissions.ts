import type { TokenRole } from '@freshet/control-store';

/** All permissions, with their descriptions. */
export const PERMISSIONS = {
  read: 'Read pipelines, runs, objects, credits and all other resources that contain neither personal data nor secrets.',
  read_records: 'Read rejected records, which may contain personal data.',
  read_reports: 'Run reports, which read rows of the warehouse and may contain personal data.',
  read_warehouse: 'Preview tables of the warehouse and query the warehouse. The rows contain personal data.',
  run: 'Start and cancel runs. Pause and resume pipelines. Restart objects, set their positions, and rebuild their tables. Retry and discard failed units. Replay and discard rejected records.',
  refresh: 'Refresh single records. This is the only permission that a Freshdesk automation rule needs.',
  manage_pipelines: 'Create, update, test and delete pipelines, and configure their objects.',
  manage_connections: 'Create, update, test and delete credentials and destinations.',
  manage_webhooks: 'Create, update, test and delete webhooks, and read their deliveries.',
  erase: 'Permanently erase a person from the warehouse and from the data that Freshet stores. Lift erasures.',
  redrive: 'Retry and discard dead jobs.',
  manage_tokens: 'Create, read, update, rotate and delete tokens.',
  read_audit_log: 'Read the audit log.',
} as const;
export type Permission = keyof typeof PERMISSIONS;
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[];

/** The permissions of each role. A test compares them with the table in `docs/security.md`. */
export const ROLES: Readonly<Record<TokenRole, readonly Permission[]>> = {
  team_admin: PERMISSION_NAMES,
  team_collaborator: [
    'read',
    'read_records',
    'read_reports',
    'read_warehouse',
    'run',
    'refresh',
    'redrive',
    'manage_pipelines',
    'manage_connections',
    'manage_webhooks',
  ],
  pipeline_admin: [
    'read',
    'read_records',
    'read_reports',
    'read_warehouse',
    'run',
    'refresh',
    'redrive',
    'manage_pipelines',
  ],
  observer: ['read'],
};

/**
 * Whether a token has a permission. The role of the token must include the permission. If the token
 * has scopes, the scopes must also include the permission.
 */
export function hasPermission(
  { role, scopes }: { readonly role: TokenRole; readonly scopes: readonly string[] | null },
  permission: Permission,
): boolean {
  return ROLES[role].includes(permission) && (scopes === null || scopes.includes(permission));
}
