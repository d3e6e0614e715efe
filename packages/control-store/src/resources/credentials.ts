import { AppError } from '@freshet/contracts';
import { eq } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import { type CredentialType, credentials, destinations, pipelines } from '../database/schema.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { changeResource, deleteResource, findResource, listResources, refuseConflicts } from './resource.ts';

export type Credential = Omit<typeof credentials.$inferSelect, 'secret'>;

const nameTaken = {
  credentials_name_unique: new AppError('conflict', 'name: another credential has this name.', {
    context: { pointer: '/name' },
  }),
};

/** Secrets of accounts and warehouses: written, used, never read back. */
export class Credentials {
  readonly #db: Database;
  readonly #sql: Sql;
  readonly #box: SecretBox;

  constructor(db: Database, sql: Sql, box: SecretBox) {
    this.#db = db;
    this.#sql = sql;
    this.#box = box;
  }

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
      secret: this.#box.seal(input.secret, boundTo(id)),
      hint: hintOf(input.secret),
    };
    const [created] = await refuseConflicts(this.#db.insert(credentials).values(row).returning(), nameTaken);
    return withoutSecret(created as typeof credentials.$inferSelect);
  }

  async get(id: string): Promise<Credential> {
    return withoutSecret(await findResource(this.#sql, credentials, 'credential', id));
  }

  async list(
    options: ListOptions,
    filter: { readonly name?: string | undefined; readonly type?: string | undefined } = {},
  ): Promise<List<Credential>> {
    const { data, nextCursor } = await listResources(this.#sql, credentials, options, filter);
    return { data: data.map(withoutSecret), nextCursor };
  }

  /** A new secret rotates the credential: whoever uses it gets the new one with the next call. */
  async change(
    id: string,
    input: { readonly name?: string | undefined; readonly secret?: string | undefined },
    expected: number | null,
  ): Promise<Credential> {
    const secret =
      input.secret === undefined
        ? {}
        : { secret: this.#box.seal(input.secret, boundTo(id)), hint: hintOf(input.secret), rotated_at: new Date() };
    const changes = { ...(input.name === undefined ? {} : { name: input.name }), ...secret };
    return withoutSecret(
      await refuseConflicts(changeResource(this.#db, credentials, 'credential', id, changes, expected), nameTaken),
    );
  }

  /** @throws AppError `conflict` that names who uses it. */
  async delete(id: string, expected: number | null = null): Promise<void> {
    const usedBy = [
      ...(await this.#db.select({ name: pipelines.name }).from(pipelines).where(eq(pipelines.credential_id, id))).map(
        ({ name }) => `pipeline "${name}"`,
      ),
      ...(
        await this.#db.select({ name: destinations.name }).from(destinations).where(eq(destinations.credential_id, id))
      ).map(({ name }) => `destination "${name}"`),
    ];
    if (usedBy.length > 0)
      throw new AppError('conflict', `The credential is in use by ${usedBy.join(', ')}.`, { context: { usedBy } });
    await deleteResource(this.#db, credentials, 'credential', id, expected);
  }

  /** The secret itself, in memory only, for the call that needs it. */
  async reveal(id: string, type: CredentialType): Promise<string> {
    const row = await findResource(this.#sql, credentials, 'credential', id);
    if (row.type !== type)
      throw new AppError('invalid_input', `The credential "${row.name}" is a ${row.type}, where a ${type} is needed.`);
    return this.#box.open(row.secret, boundTo(id));
  }
}

const boundTo = (id: string): string => `credentials/${id}/secret`;

/** The last four characters, of secrets long enough that four of them tell nothing. */
function hintOf(secret: string): string {
  return secret.length >= 12 ? secret.slice(-4) : '';
}

function withoutSecret({ secret: _secret, ...rest }: typeof credentials.$inferSelect): Credential {
  return rest;
}
