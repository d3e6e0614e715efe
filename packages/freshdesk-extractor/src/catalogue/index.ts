import { AppError, type CreditClass, type TableBelow } from '@freshet/contracts';
import { INCLUDE_COST, type ObjectSpec } from './define.ts';
import { agents } from './objects/agents.ts';
import { automationRules } from './objects/automation-rules.ts';
import { businessHours } from './objects/business-hours.ts';
import { cannedResponseFolders } from './objects/canned-response-folders.ts';
import { cannedResponses } from './objects/canned-responses.ts';
import { companies } from './objects/companies.ts';
import { companyFields } from './objects/company-fields.ts';
import { contactFields } from './objects/contact-fields.ts';
import { contacts } from './objects/contacts.ts';
import { conversations } from './objects/conversations.ts';
import { customObjectRecords } from './objects/custom-object-records.ts';
import { customObjectSchemas } from './objects/custom-object-schemas.ts';
import { discussionCategories } from './objects/discussion-categories.ts';
import { discussionComments } from './objects/discussion-comments.ts';
import { discussionForums } from './objects/discussion-forums.ts';
import { discussionTopics } from './objects/discussion-topics.ts';
import { emailConfigs } from './objects/email-configs.ts';
import { emailMailboxes } from './objects/email-mailboxes.ts';
import { groups } from './objects/groups.ts';
import { products } from './objects/products.ts';
import { roles } from './objects/roles.ts';
import { satisfactionRatings } from './objects/satisfaction-ratings.ts';
import { scenarioAutomations } from './objects/scenario-automations.ts';
import { settings } from './objects/settings.ts';
import { skills } from './objects/skills.ts';
import { slaPolicies } from './objects/sla-policies.ts';
import { solutionArticles } from './objects/solution-articles.ts';
import { solutionCategories } from './objects/solution-categories.ts';
import { solutionFolders } from './objects/solution-folders.ts';
import { surveys } from './objects/surveys.ts';
import { ticketFields } from './objects/ticket-fields.ts';
import { ticketForms } from './objects/ticket-forms.ts';
import { ticketPriorities } from './objects/ticket-priorities.ts';
import { ticketSources } from './objects/ticket-sources.ts';
import { ticketStatuses } from './objects/ticket-statuses.ts';
import { tickets } from './objects/tickets.ts';
import { timeEntries } from './objects/time-entries.ts';

/** Every object, by name. Adding one is adding its file and naming it here. */
export const catalogue: readonly ObjectSpec[] = [
  agents,
  automationRules,
  businessHours,
  cannedResponseFolders,
  cannedResponses,
  companies,
  companyFields,
  contactFields,
  contacts,
  conversations,
  customObjectRecords,
  customObjectSchemas,
  discussionCategories,
  discussionComments,
  discussionForums,
  discussionTopics,
  emailConfigs,
  emailMailboxes,
  groups,
  products,
  roles,
  satisfactionRatings,
  scenarioAutomations,
  settings,
  skills,
  slaPolicies,
  solutionArticles,
  solutionCategories,
  solutionFolders,
  surveys,
  ticketFields,
  ticketForms,
  ticketPriorities,
  ticketSources,
  ticketStatuses,
  tickets,
  timeEntries,
];

const byName = new Map(catalogue.map((object) => [object.name, object]));

/** @throws AppError `not_found` for a name that the catalogue does not have. */
export function objectNamed(name: string): ObjectSpec {
  const object = byName.get(name);
  if (!object)
    throw new AppError('not_found', `There is no object "${name}". Known objects: ${[...byName.keys()].join(', ')}.`);
  return object;
}

export function isObjectName(name: string): boolean {
  return byName.has(name);
}

/** The objects that exist only below this one. */
export function childrenOf(parent: string): readonly ObjectSpec[] {
  return catalogue.filter(({ way }) => way.kind === 'children' && way.parent === parent);
}

/** Credits that the first reading of an object usually costs: how much work it is beside the others. */
export function typicalCredits(name: string): number {
  const object = objectNamed(name);
  const { way } = object;
  if (way.kind === 'children') return Math.max(1, typicalRecords(objectNamed(way.parent)));
  return Math.max(1, Math.ceil(typicalRecords(object) / object.pageSize)) * (1 + INCLUDE_COST * object.include.length);
}

function typicalRecords({ typicalCount }: ObjectSpec): number {
  return typeof typicalCount === 'number'
    ? typicalCount
    : typicalRecords(objectNamed(typicalCount.each)) * typicalCount.times;
}

/** Every table below an object's, level by level. */
export function tablesBelow(name: string): TableBelow[] {
  return childrenOf(name).flatMap((child) => {
    const { way } = child;
    return way.kind === 'children'
      ? [
          { name: child.name, column: way.column, parent: name, parentKey: objectNamed(name).primaryKey[0] as string },
          ...tablesBelow(child.name),
        ]
      : [];
  });
}

/**
 * The objects that a pipeline's choices come to, and what reading them is for: lists go before children, which need
 * them.
 */
export function objectsToRead(
  choices: Readonly<Record<string, { readonly included: boolean }>>,
): { readonly name: string; readonly creditClass: CreditClass }[] {
  return catalogue
    .filter((object) => choices[object.name]?.included ?? object.includedByDefault)
    .map((object) => ({ name: object.name, creditClass: object.way.kind === 'children' ? 'children' : 'incremental' }));
}

/** Those of a pipeline's objects that syncs do not read completely each time. */
export function objectsToAudit(
  choices: Readonly<Record<string, { readonly included: boolean }>>,
): { readonly name: string; readonly creditClass: CreditClass }[] {
  return objectsToRead(choices)
    .filter(({ name }) => {
      const { way } = objectNamed(name);
      return way.kind === 'children' ? way.versionFields.length > 0 : way.kind !== 'sweep';
    })
    .map(({ name }) => ({ name, creditClass: 'audit' }));
}
