import type { TokenRole } from '@freshet/control-store';

/** What may be done, one line for each thing that somebody may want to allow alone. */
export const PERMISSIONS = {
  read: 'See pipelines, runs, objects, credits and all else that holds no personal data and no secret.',
  read_records: 'See what rejected records hold, which may be personal data.',
  run: 'Start and cancel runs; pause and resume pipelines; restart, move and rebuild objects; replay and discard rejected records.',
  refresh: 'Have single records read anew: all that a Freshdesk automation rule needs.',
  manage_pipelines: 'Make, change, test and delete pipelines, and choose their objects.',
  manage_connections: 'Make, change, test and delete credentials and destinations.',
  manage_webhooks: 'Make, change, test and delete webhooks, and see their deliveries.',
  erase: 'Take a person out of the warehouse, and out of all that is stored, for good.',
  redrive: 'Send jobs again that were set aside, or discard them.',
  manage_tokens: 'Make, change, rotate and delete tokens.',
  read_audit_log: 'See who changed what.',
} as const;
export type Permission = keyof typeof PERMISSIONS;
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[];

/** Who may do what. `docs/security.md` has the same table for people; a test compares the two. */
export const ROLES: Readonly<Record<TokenRole, readonly Permission[]>> = {
  team_admin: PERMISSION_NAMES,
  team_collaborator: [
    'read',
    'read_records',
    'run',
    'refresh',
    'redrive',
    'manage_pipelines',
    'manage_connections',
    'manage_webhooks',
  ],
  pipeline_admin: ['read', 'read_records', 'run', 'refresh', 'redrive', 'manage_pipelines'],
  observer: ['read'],
};

/** Whether a token may: its role must, and its scopes, if it has any. */
export function may(
  { role, scopes }: { readonly role: TokenRole; readonly scopes: readonly string[] | null },
  permission: Permission,
): boolean {
  return ROLES[role].includes(permission) && (scopes === null || scopes.includes(permission));
}
