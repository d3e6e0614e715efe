import { AppError, type ObjectVerdict } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define.ts';
import type { FreshdeskClient } from './http/client.ts';
import { readerOf } from './object-reader.ts';
import { textOf } from './page.ts';
import { workingParam } from './strategies/changed-since.ts';

/** What a key sees of an account. */
export interface ConnectionVerdict {
  readonly subdomain: string;
  /** The agent whose key it is. */
  readonly agent: {
    readonly id: string;
    readonly name: string;
    readonly ticketScope: 'global' | 'group' | 'restricted' | 'unknown';
  };
  /** True when the key's ticket scope is global: a narrower one gives smaller answers without any error. */
  readonly seesAllTickets: boolean;
  readonly objects: readonly ObjectProbe[];
}

interface ObjectProbe {
  readonly object: string;
  readonly verdict: ObjectVerdict;
  readonly message: string | null;
  /** The changed-since filter that the account obeys; null: none, or the object has none. */
  readonly changedSinceFilter: string | null;
}

const SCOPES: Readonly<Record<string, ConnectionVerdict['agent']['ticketScope']>> = {
  '1': 'global',
  '2': 'group',
  '3': 'restricted',
};

/**
 * Tries the key, then one small call for each object that has a list of its own; children share their parent's verdict.
 * @throws AppError `source_auth`, `source_not_freshdesk`, `source_unavailable` when no object could be read at all.
 */
export async function probeConnection(
  client: FreshdeskClient,
  objects: readonly ObjectSpec[],
): Promise<ConnectionVerdict> {
  const me = await whoAmI(client);
  const probes = new Map<string, ObjectProbe>();
  for (const object of objects)
    if (object.way.kind !== 'children') probes.set(object.name, await probe(client, object));
  const verdictOf = (object: ObjectSpec): ObjectProbe => {
    const { way } = object;
    if (way.kind !== 'children') return probes.get(object.name) as ObjectProbe;
    const parent = objects.find((o) => o.name === way.parent);
    const above = parent ? verdictOf(parent) : { verdict: 'available' as const, message: `Needs ${way.parent}.` };
    return { ...above, object: object.name, changedSinceFilter: null };
  };
  return {
    subdomain: client.account.subdomain,
    agent: me,
    seesAllTickets: me.ticketScope === 'global',
    objects: objects.map(verdictOf),
  };
}

async function whoAmI(client: FreshdeskClient): Promise<ConnectionVerdict['agent']> {
  const { raw: me } = await client
    .view('/api/v2/agents/me', {}, { credits: 1, bucket: null })
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'source_not_found') {
        throw new AppError(
          'source_not_freshdesk',
          `${client.account.origin} does not serve this account: it knows no agent for this key. Check the subdomain.`,
          {
            cause: error,
          },
        );
      }
      throw error;
    });
  // Another product of the vendor answers this path as well, in another shape.
  if (!me.has('ticket_scope')) {
    throw new AppError(
      'source_not_freshdesk',
      `${client.account.origin} answers, but not as Freshdesk does: is it another product, such as Freshservice?`,
    );
  }
  const contact = me.get('contact') as { name?: unknown } | null | undefined;
  return {
    id: textOf(me.get('id')),
    name: String(contact?.name ?? ''),
    ticketScope: SCOPES[textOf(me.get('ticket_scope'))] ?? 'unknown',
  };
}

async function probe(client: FreshdeskClient, object: ObjectSpec): Promise<ObjectProbe> {
  try {
    const reader = readerOf(client, { ...object, include: [], pageSize: 1 });
    const { way } = object;
    // Asking for the future tells whether a filter is obeyed, and costs no more than asking for anything.
    const filter = way.kind === 'since' ? await workingParam(reader, way) : way.kind === 'keyset' ? way.sinceParam : '';
    if (way.kind !== 'since' || filter === '') await reader.list({}, 1);
    return { object: object.name, verdict: 'available', message: null, changedSinceFilter: filter || null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'out_of_credits') throw error;
    return { object: object.name, verdict: verdictFor(error), message: error.message, changedSinceFilter: null };
  }
}

/** What an error of one object's list means for that object. */
export function verdictFor(error: AppError): ObjectVerdict {
  if (error.code === 'source_forbidden') return 'forbidden';
  // Some features answer 404 instead of 403 when the plan lacks them.
  if (error.code === 'source_not_in_plan' || error.code === 'source_not_found') return 'not_in_plan';
  return 'error';
}
