import { type Item, KINDS, type Manifest } from './manifest.ts';
import { type Deployed, type Stored, withNames } from './plan.ts';

/** What Freshet keeps of a resource, and nobody says. */
const KEPT = [
  'id',
  'created_at',
  'updated_at',
  'hint',
  'rotated_at',
  'next_run_at',
  'next_audit_at',
  'paused_by',
  'disabled_reason',
  'failing_since',
  'previous_until',
  'has_template_secret',
];

/** A deployment as a file. Secrets are not read back: where they stood, the file says which variable it wants. */
export function exported(deployed: Deployed): Manifest {
  const kinds = KINDS.map((kind) => [
    kind,
    deployed[kind].toReversed().map((stored) => itemOf(stored, withNames(kind, stored, deployed))),
  ]);
  return Object.fromEntries(kinds) as unknown as Manifest;
}

function itemOf(stored: Stored, named: Record<string, unknown>): Item {
  const said = Object.fromEntries(Object.entries(named).filter(([field]) => !KEPT.includes(field)));
  const variable = `\${env:${stored.name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}}`;
  const secret =
    stored['type'] === 'freshdesk_api_key'
      ? { api_key: variable }
      : stored['type'] === 'postgres_password'
        ? { password: variable }
        : stored['has_template_secret'] === true
          ? { template_secret: variable }
          : {};
  return { ...said, ...secret } as unknown as Item;
}
