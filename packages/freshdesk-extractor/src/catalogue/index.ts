import { AppError, type ChildTable, type CreditClass } from '@freshet/contracts';
import { getListCredits } from './credits.ts';
import type { ObjectSpec } from './define-object.ts';
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
import { ticketActivities } from './objects/ticket-activities.ts';
import { ticketFields } from './objects/ticket-fields.ts';
import { ticketForms } from './objects/ticket-forms.ts';
import { ticketPriorities } from './objects/ticket-priorities.ts';
import { ticketSources } from './objects/ticket-sources.ts';
import { ticketStatuses } from './objects/ticket-statuses.ts';
import { tickets } from './objects/tickets.ts';
import { timeEntries } from './objects/time-entries.ts';

/** All objects, sorted by name. To add an object, add its file and list it here. */
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
  ticketActivities,
  ticketFields,
  ticketForms,
  ticketPriorities,
  ticketSources,
  ticketStatuses,
  tickets,
  timeEntries,
];

const byName = new Map(catalogue.map((object) => [object.name, object]));
const childrenByParent: ReadonlyMap<string | null, readonly ObjectSpec[]> = Map.groupBy(catalogue, ({ strategy }) =>
  strategy.kind === 'children' ? strategy.parent : null,
);

/** @throws AppError `not_found` if the catalogue has no object of this name. */
export function getObject(name: string): ObjectSpec {
  const object = byName.get(name);
  if (!object)
    throw new AppError('not_found', `Object "${name}" does not exist. Objects: ${[...byName.keys()].join(', ')}.`);
  return object;
}

export function isObjectName(name: string): boolean {
  return byName.has(name);
}

/** Lists the objects whose records are children of this object's records. */
export function listChildren(parent: string): readonly ObjectSpec[] {
  return childrenByParent.get(parent) ?? [];
}

/**
 * Estimates the credits of an object's first complete read. The estimate is used as the weight of
 * the object relative to other objects.
 */
export function estimateTypicalCredits(name: string): number {
  const object = getObject(name);
  const { strategy } = object;
  if (strategy.kind === 'children') return Math.max(1, estimateTypicalRecords(getObject(strategy.parent)));
  if (strategy.kind === 'daily-export') return strategy.retentionDays;
  return Math.max(1, Math.ceil(estimateTypicalRecords(object) / object.pageSize)) * getListCredits(object);
}

function estimateTypicalRecords({ typicalCount }: ObjectSpec): number {
  return typeof typicalCount === 'number'
    ? typicalCount
    : estimateTypicalRecords(getObject(typicalCount.perRecordOf)) * typicalCount.factor;
}

/** Lists the tables below an object's table, at every level, each parent before its children. */
export function listChildTables(name: string): ChildTable[] {
  return listChildren(name).flatMap((child) => {
    const { strategy } = child;
    return strategy.kind === 'children'
      ? [
          {
            name: child.name,
            column: strategy.parentColumn,
            parent: name,
            parentKey: getObject(name).primaryKey[0] as string,
          },
          ...listChildTables(child.name),
        ]
      : [];
  });
}

/**
 * Lists the objects that a pipeline extracts, and the credit class of each. Child objects have a
 * separate class, because they depend on the lists of their parents.
 * @param choices the user's choice for each object. Objects without a choice follow
 * `includedByDefault`.
 */
export function listObjectsToExtract(
  choices: Readonly<Record<string, { readonly included: boolean }>>,
): { readonly name: string; readonly creditClass: CreditClass }[] {
  return catalogue
    .filter((object) => choices[object.name]?.included ?? object.includedByDefault)
    .map((object) => ({
      name: object.name,
      creditClass: object.strategy.kind === 'children' ? 'children' : 'incremental',
    }));
}

/**
 * Lists the objects of a pipeline that syncs do not read completely. Only an audit finds all
 * changes of these objects.
 */
export function listObjectsToAudit(
  choices: Readonly<Record<string, { readonly included: boolean }>>,
): { readonly name: string; readonly creditClass: CreditClass }[] {
  return listObjectsToExtract(choices)
    .filter(({ name }) => {
      const { strategy } = getObject(name);
      if (strategy.kind === 'children') return strategy.versionFields.length > 0;
      return strategy.kind !== 'full-list' && strategy.kind !== 'daily-export';
    })
    .map(({ name }) => ({ name, creditClass: 'audit' }));
}
