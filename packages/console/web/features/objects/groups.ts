/** The groups in which objects are displayed, by what users look for. */

/** The groups that most users need. Pages fold the other groups. */
export const MAIN_GROUPS: readonly string[] = ['Tickets & conversations', 'People', 'Time & satisfaction'];
const GROUPS: readonly { readonly title: string; readonly objects: readonly string[] }[] = [
  {
    title: 'Tickets & conversations',
    objects: [
      'tickets',
      'conversations',
      'ticket_activities',
      'ticket_fields',
      'ticket_statuses',
      'ticket_priorities',
      'ticket_sources',
      'ticket_forms',
    ],
  },
  {
    title: 'People',
    objects: ['contacts', 'companies', 'agents', 'groups', 'roles', 'skills', 'contact_fields', 'company_fields'],
  },
  { title: 'Time & satisfaction', objects: ['time_entries', 'satisfaction_ratings', 'surveys'] },
  { title: 'Knowledge base', objects: ['solution_categories', 'solution_folders', 'solution_articles'] },
  {
    title: 'Forums',
    objects: ['discussion_categories', 'discussion_forums', 'discussion_topics', 'discussion_comments'],
  },
  {
    title: 'Configuration',
    objects: [
      'business_hours',
      'sla_policies',
      'products',
      'email_configs',
      'email_mailboxes',
      'automation_rules',
      'scenario_automations',
      'canned_response_folders',
      'canned_responses',
      'settings',
    ],
  },
  { title: 'Custom objects', objects: ['custom_object_schemas', 'custom_object_records'] },
];
const OTHER = 'Other';

/**
 * Groups items by the group of their object. Groups and items have a fixed order. Empty groups are
 * left out.
 */
export function groupObjects<T>(items: readonly T[], getName: (item: T) => string): { title: string; rows: T[] }[] {
  const byName = new Map(items.map((item) => [getName(item), item]));
  const grouped = GROUPS.map(({ title, objects }) => ({
    title,
    rows: objects.flatMap((name) => {
      const item = byName.get(name);
      byName.delete(name);
      return item === undefined ? [] : [item];
    }),
  }));
  return [...grouped, { title: OTHER, rows: [...byName.values()] }].filter(({ rows }) => rows.length > 0);
}
