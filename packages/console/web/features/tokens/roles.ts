import type { Schemas } from '../../api/client.ts';

export const ROLE_LABELS: Readonly<Record<Schemas['TokenRole'], string>> = {
  team_admin: 'Team admin',
  team_collaborator: 'Team collaborator',
  pipeline_admin: 'Pipeline admin',
  observer: 'Observer',
};

export const ROLE_DESCRIPTIONS: Readonly<Record<Schemas['TokenRole'], string>> = {
  team_admin: 'Everything, including tokens, the audit log and the erasure of persons.',
  team_collaborator: 'Pipelines, runs, credentials, destinations and webhooks.',
  pipeline_admin: 'Pipelines and runs. Cannot change credentials, destinations and webhooks.',
  observer: 'Read only, without the content of records.',
};
