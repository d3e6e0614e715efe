import { index, integer, jsonb, text, unique, uuid } from 'drizzle-orm/pg-core';
import { freshet, resourceColumns, time } from './columns.ts';

export const TOKEN_ROLES = ['team_admin', 'team_collaborator', 'pipeline_admin', 'observer'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** API tokens. Only their digests are stored. */
export const apiTokens = freshet.table('api_tokens', {
  ...resourceColumns,
  name: text('name').notNull(),
  role: text('role').$type<TokenRole>().notNull(),
  /** A subset of the permissions of the role. Null: all of them. */
  scopes: text('scopes').array(),
  /** SHA-256 of the token. A slow hash is not needed, because a token has enough entropy. */
  digest: text('digest').notNull().unique(),
  /** The digest of the token before the last rotation. */
  previous_digest: text('previous_digest').unique(),
  /** The time until which the previous token is accepted. */
  previous_until: time('previous_until'),
  expires_at: time('expires_at'),
  rotated_at: time('rotated_at').notNull().defaultNow(),
  /** Accurate to a minute, so that most requests need not update the row. */
  last_used_at: time('last_used_at'),
});

/**
 * One-time sign-in codes, and the sessions for which they were exchanged. A session has the
 * permissions of the token that created its code. Only digests are stored.
 */
export const signIns = freshet.table(
  'sign_ins',
  {
    id: uuid('id').primaryKey(),
    token_id: uuid('token_id')
      .notNull()
      .references(() => apiTokens.id, { onDelete: 'cascade' }),
    created_at: time('created_at').notNull().defaultNow(),
    code_digest: text('code_digest').notNull().unique(),
    code_expires_at: time('code_expires_at').notNull(),
    /** Null: the code was not used. */
    session_digest: text('session_digest').unique(),
    session_expires_at: time('session_expires_at'),
  },
  (t) => [index('sign_ins_token_id_idx').on(t.token_id), index('sign_ins_code_expires_at_idx').on(t.code_expires_at)],
);

/** Responses to requests with an `Idempotency-Key`. They are retained for a day. */
export const idempotencyKeys = freshet.table(
  'idempotency_keys',
  {
    id: uuid('id').primaryKey(),
    token_id: uuid('token_id')
      .notNull()
      .references(() => apiTokens.id, { onDelete: 'cascade' }),
    key: text('key').notNull(),
    /** Digest of method, path and body. It reveals a different request that reuses the key. */
    fingerprint: text('fingerprint').notNull(),
    /** Status code of the response. */
    status: integer('status'),
    headers: jsonb('headers').$type<Record<string, string>>().notNull().default({}),
    /** The sealed response body, which may contain a new token. Null: the response has no body. */
    body: text('body'),
    created_at: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    unique('idempotency_keys_key_unique').on(t.token_id, t.key),
    index('idempotency_keys_created_at_idx').on(t.created_at),
  ],
);

/**
 * The audit log of the API. Triggers reject all updates, and all deletions except those by
 * retention.
 */
export const auditLog = freshet.table(
  'audit_log',
  {
    id: uuid('id').primaryKey(),
    at: time('at').notNull().defaultNow(),
    /** The id of the token. */
    actor_id: uuid('actor_id').notNull(),
    /** The name of the token at the time of the request. */
    actor_name: text('actor_name').notNull(),
    /** The role of the token at the time of the request. */
    actor_role: text('actor_role').$type<TokenRole>().notNull(),
    /** The IP address of the client. */
    address: text('address').notNull(),
    request_id: text('request_id').notNull(),
    /** The operation id of the API. */
    action: text('action').notNull(),
    /** The path of the resource, such as `pipelines/<id>`. */
    resource: text('resource').notNull(),
    /**
     * The resource before the change, as the API returns it, without secrets. Null: the resource
     * did not exist.
     */
    before: jsonb('before').$type<Record<string, unknown>>(),
    after: jsonb('after').$type<Record<string, unknown>>(),
  },
  (t) => [index('audit_log_resource_idx').on(t.resource, t.id), index('audit_log_actor_idx').on(t.actor_id, t.id)],
);
