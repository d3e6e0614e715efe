import { AppError } from '@freshet/contracts';
import { eq } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import { credentials, destinations, pipelines } from '../database/schema.ts';
import { changeResource, deleteResource, findResource, listResources, refuseConflicts } from './resource.ts';

export type Destination = typeof destinations.$inferSelect;
export type DestinationInput = Pick<
  Destination,
  'name' | 'type' | 'host' | 'port' | 'database' | 'username' | 'credential_id' | 'ssl_mode'
> &
  Partial<Pick<Destination, 'ssl_ca'>>;

const conflicts = {
  destinations_name_unique: new AppError('conflict', 'name: another destination has this name.', {
    context: { pointer: '/name' },
  }),
};

/** PostgreSQL warehouses. */
export class Destinations {
  readonly #db: Database;
  readonly #sql: Sql;

  constructor(db: Database, sql: Sql) {
    this.#db = db;
    this.#sql = sql;
  }

  async create(input: DestinationInput): Promise<Destination> {
    await rejectReferenceProblems(this.findReferenceProblems(input));
    const [created] = await refuseConflicts(
      this.#db
        .insert(destinations)
        .values({ id: uuidv7(), ...input })
        .returning(),
      conflicts,
    );
    return created as Destination;
  }

  get(id: string): Promise<Destination> {
    return findResource(this.#sql, destinations, 'destination', id);
  }

  list(options: ListOptions, filter: { readonly name?: string | undefined } = {}): Promise<List<Destination>> {
    return listResources(this.#sql, destinations, options, filter);
  }

  async change(id: string, changes: Partial<DestinationInput>, expected: number | null): Promise<Destination> {
    await rejectReferenceProblems(this.findReferenceProblems(changes));
    return refuseConflicts(changeResource(this.#db, destinations, 'destination', id, changes, expected), conflicts);
  }

  async delete(id: string, expected: number | null = null): Promise<void> {
    const users = await this.#db
      .select({ name: pipelines.name })
      .from(pipelines)
      .where(eq(pipelines.destination_id, id));
    if (users.length > 0) {
      throw new AppError(
        'conflict',
        `The destination is in use by ${users.map(({ name }) => `pipeline "${name}"`).join(', ')}.`,
      );
    }
    await deleteResource(this.#db, destinations, 'destination', id, expected);
  }

  /** Finds what the input refers to and does not exist, or cannot be used. */
  async findReferenceProblems({ credential_id: id }: Partial<DestinationInput>): Promise<ReferenceProblem[]> {
    return id === undefined ? [] : findCredentialProblems(this.#db, id, 'postgres_password', '/credential_id');
  }
}

/** A field that refers to a resource that does not exist, or cannot be used. */
export interface ReferenceProblem {
  readonly pointer: string;
  readonly detail: string;
}

/** @throws AppError `invalid_input` that holds all of the problems. */
export async function rejectReferenceProblems(found: Promise<readonly ReferenceProblem[]>): Promise<void> {
  const errors = await found;
  if (errors.length > 0)
    throw new AppError('invalid_input', errors.map(({ detail }) => detail).join(' '), { context: { errors } });
}

/** Finds whether a credential of this type is missing. */
export async function findCredentialProblems(
  db: Database,
  id: string,
  type: string,
  pointer: string,
): Promise<ReferenceProblem[]> {
  const [row] = await db.select({ type: credentials.type }).from(credentials).where(eq(credentials.id, id));
  const field = pointer.slice(1).replaceAll('/', '.');
  if (!row) return [{ pointer, detail: `${field}: there is no credential ${id}.` }];
  return row.type === type
    ? []
    : [{ pointer, detail: `${field}: this credential is a ${row.type}; a ${type} is needed.` }];
}
