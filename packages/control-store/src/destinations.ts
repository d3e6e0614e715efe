import { AppError } from '@freshet/contracts';
import { eq } from 'drizzle-orm';
import type { Database, Sql } from './database.ts';
import { uuidv7 } from './ids.ts';
import type { List, ListOptions } from './page-lists.ts';
import { changeResource, deleteResource, findResource, listResources, refuseConflicts } from './resources.ts';
import { credentials, destinations, pipelines } from './schema.ts';

export type Destination = typeof destinations.$inferSelect;
export type DestinationInput = Pick<Destination, 'name' | 'type' | 'host' | 'port' | 'database' | 'username' | 'credential_id' | 'ssl_mode'> &
  Partial<Pick<Destination, 'ssl_ca'>>;

const conflicts = {
  destinations_name_unique: new AppError('conflict', 'name: another destination has this name.', { context: { pointer: '/name' } }),
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
    await this.#checkCredential(input.credential_id);
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
    if (changes.credential_id !== undefined) await this.#checkCredential(changes.credential_id);
    return refuseConflicts(changeResource(this.#db, destinations, 'destination', id, changes, expected), conflicts);
  }

  async delete(id: string, expected: number | null = null): Promise<void> {
    const users = await this.#db.select({ name: pipelines.name }).from(pipelines).where(eq(pipelines.destination_id, id));
    if (users.length > 0) {
      throw new AppError('conflict', `The destination is in use by ${users.map(({ name }) => `pipeline "${name}"`).join(', ')}.`);
    }
    await deleteResource(this.#db, destinations, 'destination', id, expected);
  }

  async #checkCredential(id: string): Promise<void> {
    await checkCredential(this.#db, id, 'postgres_password', '/credential_id');
  }
}

/** @throws AppError `invalid_input` with the field's pointer when there is no such credential of this type. */
export async function checkCredential(db: Database, id: string, type: string, pointer: string): Promise<void> {
  const [row] = await db.select({ type: credentials.type }).from(credentials).where(eq(credentials.id, id));
  const field = pointer.slice(1).replaceAll('/', '.');
  if (!row) throw new AppError('invalid_input', `${field}: there is no credential ${id}.`, { context: { pointer } });
  if (row.type !== type) {
    throw new AppError('invalid_input', `${field}: this credential is a ${row.type}; a ${type} is needed.`, { context: { pointer } });
  }
}
