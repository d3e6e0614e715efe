/**
 * The pages of the documentation site to which the screens of the console link, relative to
 * `/help/`. A test compares them with the pages and headings of the site.
 */
export const HELP_TOPICS = {
  console: 'guides/console',
  signIn: 'guides/console#sign-in',
  pipelines: 'guides/console#pipelines',
  createPipeline: 'guides/console#create-a-pipeline',
  connectFreshdesk: 'guides/connect-freshdesk',
  connectPostgresql: 'guides/connect-postgresql',
  readers: 'guides/connect-postgresql#grant-access-to-readers',
  apiKeys: 'guides/connect-freshdesk#find-the-api-key',
  schedule: 'api/guide#set-the-schedule',
  objects: 'objects/',
  data: 'guides/console#data',
  runs: 'guides/console#runs',
  rejectedRecords: 'concepts/warehouse#rejected-records',
  credits: 'operations#credits',
  webhooks: 'api/guide#webhooks',
  tokens: 'security/#roles-and-permissions',
  auditLog: 'api/guide#audit-log-and-usage',
  monitoring: 'operations#monitoring',
  reports: 'guides/console#reports',
  quickstart: 'quickstart',
} as const satisfies Readonly<Record<string, string>>;

export type HelpTopic = keyof typeof HELP_TOPICS;

/** Returns the address of a page of the documentation site. @param path relative to `/help/`. */
export function getHelpUrl(path: string): string {
  return `/help/${path}`;
}
