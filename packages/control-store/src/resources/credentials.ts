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
import { type CredentialType, credentials, destinations, pipelines } from '../database/schema/index.ts';
import { Store } from '../store.ts';

export type Credential = Omit<typeof credentials.$inferSelect, 'secret'>;

/** The minimum length of a secret that gets a hint. */
const HINTED_LENGTH_MIN = 12;
const HINT_LENGTH = 4;

const RESOURCE = { table: credentials, name: 'credential' };

const conflicts = { credentials_name_unique: createNameConflict('credential') };

/**
 * Credentials: the secrets for Freshdesk accounts and warehouses. The API never returns a secret.
 */
export class Credentials extends Store {
  /** @throws AppError `conflict` when the name is in use. */
  async create(input: {
    readonly name: string;
    readonly type: CredentialType;
    readonly secret: string;
  }): Promise<Credential> {
    const id = uuidv7();
    const row = {
      id,
      name: input.name,
      type: input.type,
      secret: this.box.seal(input.secret, buildAssociatedData(id)),
      hint: buildHint(input.secret),
    };
    const [created] = await mapConstraintErrors(this.db.insert(credentials).values(row).returning(), conflicts);
    return omitSecret(created as typeof credentials.$inferSelect);
  }

  /** @throws AppError `not_found`. */
  async get(id: string): Promise<Credential> {
    return omitSecret(await getResource(this.lookupSql, RESOURCE, id));
  }

  async list(
    options: ListOptions,
    filter: { readonly name?: string | undefined; readonly type?: string | undefined } = {},
  ): Promise<List<Credential>> {
    const { data, nextCursor } = await listResources(this.sql, RESOURCE, options, filter);
    return { data: data.map(omitSecret), nextCursor };
  }

  /**
   * Updates a credential. If the input contains a new secret, every later connection uses this
   * secret.
   * @param expected the expected version. Null: any.
   */
  async update(
    id: string,
    input: { readonly name?: string | undefined; readonly secret?: string | undefined },
    expected: number | null,
  ): Promise<Credential> {
    const secret =
      input.secret === undefined
        ? {}
        : {
            secret: this.box.seal(input.secret, buildAssociatedData(id)),
            hint: buildHint(input.secret),
            rotated_at: new Date(),
          };
    const changes = { ...(input.name === undefined ? {} : { name: input.name }), ...secret };
    return omitSecret(
      await mapConstraintErrors(updateResource(this.db, RESOURCE, id, { changes, expected }), conflicts),
    );
  }

  /**
   * @throws AppError `conflict` with the names of the pipelines and destinations that use the
   * credential.
   */
  async delete(id: string, expected: number | null = null): Promise<void> {
    const usingPipelines = await this.db
      .select({ name: pipelines.name })
      .from(pipelines)
      .where(eq(pipelines.credential_id, id));
    const usingDestinations = await this.db
      .select({ name: destinations.name })
      .from(destinations)
      .where(eq(destinations.credential_id, id));
    const usedBy = [
      ...usingPipelines.map(({ name }) => `pipeline "${name}"`),
      ...usingDestinations.map(({ name }) => `destination "${name}"`),
    ];
    if (usedBy.length > 0)
      throw new AppError('conflict', `The credential is in use by ${usedBy.join(', ')}.`, { context: { usedBy } });
    await deleteResource(this.db, RESOURCE, id, expected);
  }

  /**
   * Decrypts a secret for the connection that needs it. The caller must not store or log it (I6).
   * @throws AppError `not_found`, or `invalid_input` when the credential has a different type.
   */
  async reveal(id: string, type: CredentialType): Promise<string> {
    const row = await getResource(this.lookupSql, RESOURCE, id);
    if (row.type !== type) {
      throw new AppError(
        'invalid_input',
        `Credential "${row.name}" has the type ${row.type}, but the type ${type} is required.`,
      );
    }
    return this.box.open(row.secret, buildAssociatedData(id));
  }
}

const buildAssociatedData = (id: string): string => `credentials/${id}/secret`;

/**
 * Builds the hint of a secret: the last characters of a long secret. The hint of a short secret is
 * empty, because its last characters would reveal too much.
 */
function buildHint(secret: string): string {
  return secret.length >= HINTED_LENGTH_MIN ? secret.slice(-HINT_LENGTH) : '';
}

function omitSecret({ secret: _secret, ...rest }: typeof credentials.$inferSelect): Credential {
  return rest;
}
