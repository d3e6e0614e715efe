import { AppError, type ObjectVerdict } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define-object.ts';
import type { FreshdeskClient } from './http/client.ts';
import { createObjectReader } from './reader/object-reader.ts';
import { toText } from './reader/page.ts';
import { findSinceParam } from './strategies/changed-since-filter.ts';
import { probeDailyExport } from './strategies/daily-export.ts';

/** The agent that an API key belongs to, and the access of the key to each object. */
export interface ConnectionTestResult {
  readonly subdomain: string;
  /** The agent that the key belongs to. */
  readonly agent: {
    readonly id: string;
    readonly name: string;
    readonly ticketScope: 'global' | 'group' | 'restricted' | 'unknown';
  };
  /**
   * Whether the agent has global ticket scope. With a narrower scope, lists omit tickets without an
   * error.
   */
  readonly seesAllTickets: boolean;
  readonly objects: readonly ObjectAccess[];
}

interface ObjectAccess {
  readonly object: string;
  readonly verdict: ObjectVerdict;
  /** The reason for the verdict; null: none. */
  readonly message: string | null;
  /**
   * The changed-since filter that the account supports. Null: the account supports none, or the
   * object does not use such a filter.
   */
  readonly changedSinceFilter: string | null;
}

const TICKET_SCOPES: Readonly<Record<string, ConnectionTestResult['agent']['ticketScope']>> = {
  '1': 'global',
  '2': 'group',
  '3': 'restricted',
};

/**
 * Tests an API key. Then, small requests for each object test whether the key can read the object,
 * and which changed-since filter the account supports. A child object has the verdict of its
 * parent.
 * @throws AppError `source_auth`, `source_not_freshdesk` or `source_unavailable` if no object can
 * be read.
 */
export async function testConnection(
  client: FreshdeskClient,
  objects: readonly ObjectSpec[],
): Promise<ConnectionTestResult> {
  const agent = await getAgent(client);
  const accessByObject = new Map<string, ObjectAccess>();
  for (const object of objects)
    if (object.strategy.kind !== 'children') accessByObject.set(object.name, await testObject(client, object));
  const getAccess = (object: ObjectSpec): ObjectAccess => {
    const { strategy } = object;
    if (strategy.kind !== 'children') return accessByObject.get(object.name) as ObjectAccess;
    const parent = objects.find(({ name }) => name === strategy.parent);
    const access = parent
      ? getAccess(parent)
      : { verdict: 'available' as const, message: `Requires the object ${strategy.parent}.` };
    return { ...access, object: object.name, changedSinceFilter: null };
  };
  return {
    subdomain: client.account.subdomain,
    agent,
    seesAllTickets: agent.ticketScope === 'global',
    objects: objects.map(getAccess),
  };
}

async function getAgent(client: FreshdeskClient): Promise<ConnectionTestResult['agent']> {
  const { origin } = client.account;
  const { raw: agent } = await client
    .get('/api/v2/agents/me', {}, { credits: 1, bucket: null })
    .catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'source_not_found') throw error;
      throw new AppError(
        'source_not_freshdesk',
        `${origin} returned no agent for this API key, so it does not serve this account. Check the subdomain.`,
        { cause: error },
      );
    });
  // Other Freshworks products also serve this path, but in a different format.
  if (!agent.has('ticket_scope')) {
    throw new AppError(
      'source_not_freshdesk',
      `${origin} did not respond like Freshdesk. It may be a different product, such as Freshservice. Check the subdomain.`,
    );
  }
  const contact = agent.get('contact') as { name?: unknown } | null | undefined;
  return {
    id: toText(agent.get('id')),
    name: String(contact?.name ?? ''),
    ticketScope: TICKET_SCOPES[toText(agent.get('ticket_scope'))] ?? 'unknown',
  };
}

async function testObject(client: FreshdeskClient, object: ObjectSpec): Promise<ObjectAccess> {
  try {
    const changedSinceFilter = await readOnePage(client, object);
    return { object: object.name, verdict: 'available', message: null, changedSinceFilter };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'out_of_credits') throw error;
    return {
      object: object.name,
      verdict: classifyAccessError(error),
      message: error.message,
      changedSinceFilter: null,
    };
  }
}

/** @returns the changed-since filter that the account supports; null if there is none. */
async function readOnePage(client: FreshdeskClient, object: ObjectSpec): Promise<string | null> {
  const reader = createObjectReader(client, { ...object, include: [], pageSize: 1 });
  const { strategy } = object;
  if (strategy.kind === 'daily-export') {
    await probeDailyExport(reader, strategy);
    return null;
  }
  if (strategy.kind === 'changed-since') {
    // The test of a filter also shows whether the list can be read, for the same credit.
    const param = await findSinceParam(reader, strategy);
    if (param !== '') return param;
  }
  await reader.list({}, 1);
  return strategy.kind === 'keyset' ? strategy.sinceParam : null;
}

/** Converts the error of a request for an object's list to the verdict for the object. */
export function classifyAccessError(error: AppError): ObjectVerdict {
  if (error.code === 'source_forbidden') return 'forbidden';
  // Some features return 404 instead of 403 if the plan lacks them.
  if (error.code === 'source_not_in_plan' || error.code === 'source_not_found') return 'not_in_plan';
  return 'error';
}
