import { AppError } from '@freshet/contracts';
import { eq } from 'drizzle-orm';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import {
  createNameConflict,
  deleteResource,
  getResource,
  listResources,
  mapConstraintErrors,
  updateResource,
} from '../database/resource-table.ts';
import { destinations, pipelines } from '../database/schema/index.ts';
import { Store } from '../store.ts';
import { findCredentialProblems, type ReferenceProblem, rejectReferenceProblems } from './references.ts';

export type Destination = typeof destinations.$inferSelect;
export type DestinationInput = Pick<
  Destination,
  'name' | 'type' | 'host' | 'port' | 'database' | 'username' | 'credential_id' | 'ssl_mode'
> &
  Partial<Pick<Destination, 'ssl_ca'>>;

const RESOURCE = { table: destinations, name: 'destination' };

const conflicts = { destinations_name_unique: createNameConflict('destination') };

/** Destinations: PostgreSQL warehouses. */
export class Destinations extends Store {
  /**
   * @throws AppError `conflict` when the name is in use, or `invalid_input` when the credential
   * cannot be used.
   */
  async create(input: DestinationInput): Promise<Destination> {
    await rejectReferenceProblems(this.findReferenceProblems(input));
    const [created] = await mapConstraintErrors(
      this.db
        .insert(destinations)
        .values({ id: uuidv7(), ...input })
        .returning(),
      conflicts,
    );
    return created as Destination;
  }

  /** @throws AppError `not_found`. */
  get(id: string): Promise<Destination> {
    return getResource(this.lookupSql, RESOURCE, id);
  }

  list(options: ListOptions, filter: { readonly name?: string | undefined } = {}): Promise<List<Destination>> {
    return listResources(this.sql, RESOURCE, options, filter);
  }

  /** @param expected the expected version. Null: any. */
  async update(id: string, changes: Partial<DestinationInput>, expected: number | null): Promise<Destination> {
    await rejectReferenceProblems(this.findReferenceProblems(changes));
    return mapConstraintErrors(updateResource(this.db, RESOURCE, id, { changes, expected }), conflicts);
  }

  /** @throws AppError `conflict` with the names of the pipelines that use the destination. */
  async delete(id: string, expected: number | null = null): Promise<void> {
    const users = await this.db
      .select({ name: pipelines.name })
      .from(pipelines)
      .where(eq(pipelines.destination_id, id));
    if (users.length > 0) {
      throw new AppError(
        'conflict',
        `The destination is in use by ${users.map(({ name }) => `pipeline "${name}"`).join(', ')}.`,
      );
    }
    await deleteResource(this.db, RESOURCE, id, expected);
  }

  /** Finds references in the input to resources that do not exist or cannot be used. */
  async findReferenceProblems({ credential_id: id }: Partial<DestinationInput>): Promise<ReferenceProblem[]> {
    return id === undefined ? [] : findCredentialProblems(this.db, id, 'postgres_password', '/credential_id');
  }
}
