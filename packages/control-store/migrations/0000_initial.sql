-- The control database of Freshet: everything durable between the API and the workers. The tables
-- match src/database/schema/. Partitions, functions, triggers, views and storage settings are
-- declared only here.

CREATE SCHEMA freshet;
--> statement-breakpoint

-- -------- Resources --------

-- Freshdesk API keys and PostgreSQL passwords.
CREATE TABLE freshet.credentials (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The ETag of the resource: each update increments it.
  version integer NOT NULL DEFAULT 1,
  name text NOT NULL,
  type text NOT NULL,
  -- Sealed by `SecretBox`, with this row and column as associated data.
  secret text NOT NULL,
  -- The last four characters of the secret. Empty for a short secret.
  hint text NOT NULL,
  -- When the secret was last changed.
  rotated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT credentials_name_unique UNIQUE (name)
);
--> statement-breakpoint

-- PostgreSQL warehouses.
CREATE TABLE freshet.destinations (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The ETag of the resource: each update increments it.
  version integer NOT NULL DEFAULT 1,
  name text NOT NULL,
  type text NOT NULL,
  host text NOT NULL,
  port integer NOT NULL,
  database text NOT NULL,
  username text NOT NULL,
  credential_id uuid NOT NULL,
  ssl_mode text NOT NULL,
  -- PEM certificate of the authority that signed the server certificate. Null: a public authority
  -- signed it.
  ssl_ca text,
  CONSTRAINT destinations_name_unique UNIQUE (name),
  CONSTRAINT destinations_credential_id_credentials_id_fk
    FOREIGN KEY (credential_id) REFERENCES freshet.credentials (id)
);
--> statement-breakpoint

-- Pipelines: each pipeline replicates a Freshdesk account into a warehouse schema.
CREATE TABLE freshet.pipelines (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The ETag of the resource: each update increments it.
  version integer NOT NULL DEFAULT 1,
  name text NOT NULL,
  -- The Freshdesk account: `<subdomain>.freshdesk.com`.
  subdomain text NOT NULL,
  credential_id uuid NOT NULL,
  -- The length of the history to extract, in days. Null: the complete history.
  historical_sync_days integer,
  -- The share of the account's rate limit that Freshet may use, in percent.
  credit_share_percent integer NOT NULL,
  destination_id uuid NOT NULL,
  destination_schema text NOT NULL,
  table_prefix text NOT NULL,
  -- The number of minutes between two runs. Unused while `schedule` is set.
  frequency_minutes integer NOT NULL,
  -- Object name → the settings that the user sent. An object without settings uses the defaults of
  -- the catalogue.
  objects jsonb NOT NULL,
  schema_policy text NOT NULL,
  -- The sealed salt of hashed fields. It is created when a field is first hashed, and never
  -- changes.
  hash_salt text,
  -- A cron schedule. Null: a run every `frequency_minutes`.
  schedule jsonb,
  record_spike jsonb,
  monthly_quota jsonb,
  -- The month and the quota level of the last `quota.reached` event, such as `2026-11/90`.
  quota_notified text,
  -- When the next digest of rejected records is due.
  next_digest_at timestamptz NOT NULL DEFAULT now() + interval '1 day',
  status text NOT NULL DEFAULT 'active',
  priority text NOT NULL DEFAULT 'normal',
  -- What paused the pipeline: a user, its monthly quota or a record spike. Null: the pipeline is
  -- active.
  paused_by text,
  next_run_at timestamptz NOT NULL DEFAULT now(),
  -- The number of days between two audits. Null: audits run only on request.
  audit_frequency_days integer DEFAULT 7,
  next_audit_at timestamptz NOT NULL DEFAULT now() + interval '7 days',
  CONSTRAINT pipelines_name_unique UNIQUE (name),
  -- Two pipelines must not write to the same table.
  CONSTRAINT pipelines_destination_unique UNIQUE (destination_id, destination_schema, table_prefix),
  CONSTRAINT pipelines_credential_id_credentials_id_fk
    FOREIGN KEY (credential_id) REFERENCES freshet.credentials (id),
  CONSTRAINT pipelines_destination_id_destinations_id_fk
    FOREIGN KEY (destination_id) REFERENCES freshet.destinations (id)
);
--> statement-breakpoint
-- Finds the pipelines whose next run is due.
CREATE INDEX pipelines_due_idx ON freshet.pipelines (next_run_at) WHERE status = 'active';
--> statement-breakpoint

-- -------- Runs --------

-- The state of each object of a pipeline. This state is retained between runs.
CREATE TABLE freshet.pipeline_objects (
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  -- The extraction state. Null: the object has not been extracted yet, or was restarted.
  position jsonb,
  -- The columns of the account's custom fields, as of the last extraction.
  custom_columns jsonb NOT NULL DEFAULT '[]'::jsonb,
  -- The fencing token of extraction. The epoch of the current lease equals this number.
  extract_epoch bigint NOT NULL DEFAULT 0,
  -- The fencing token of loading. The epoch of the current lease on the table equals this number.
  load_epoch bigint NOT NULL DEFAULT 0,
  -- The table contains every change up to this time.
  complete_as_of timestamptz,
  -- The table contains the history back to this time.
  complete_back_to timestamptz,
  -- When Freshet detected that the table misses its freshness objective, and emitted
  -- `freshness.missed`. Null: the table is not known to miss an objective.
  stale_since timestamptz,
  -- Whether the API key could read the object when a run last requested it. Null: unknown.
  availability text,
  -- The reason why the object is unavailable. Null: the object is available, or its availability is
  -- unknown.
  availability_message text,
  -- When a run first read the object. Null: no API key has been able to read it yet.
  first_read_at timestamptz,
  -- The time of the last restart of the object. Rows that were written before this time are
  -- rewritten when their records are read.
  restarted_at timestamptz,
  -- The time since which rows of the table lack values of a column, according to the clock of the
  -- warehouse. Null: no row lacks values.
  completing_since timestamptz,
  -- The value of `completing_since` for which a rebuild or a full sync was started, or for which
  -- none is needed, because every run reads the object completely. For each value, at most one
  -- rebuild or full sync is started.
  completion_started_for timestamptz,
  -- Whether the next sync extracts the complete object, in the mode `full`.
  is_full_sync_due boolean NOT NULL DEFAULT false,
  CONSTRAINT pipeline_objects_pipeline_id_object_pk PRIMARY KEY (pipeline_id, object),
  CONSTRAINT pipeline_objects_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint

-- The longest lag of each table on each day (UTC).
CREATE TABLE freshet.lags (
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  -- The day (UTC) of `until`.
  day date NOT NULL,
  -- The `complete_as_of` of the table before the coverage advanced.
  since timestamptz NOT NULL,
  -- When the coverage advanced. The lag is the time between `since` and `until`.
  until timestamptz NOT NULL,
  CONSTRAINT lags_pipeline_id_object_day_pk PRIMARY KEY (pipeline_id, object, day),
  CONSTRAINT lags_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
-- Retention uses this index to find old rows.
CREATE INDEX lags_until_idx ON freshet.lags (until);
--> statement-breakpoint

-- Runs of pipelines: syncs, audits, refreshes, replays and rebuilds.
CREATE TABLE freshet.runs (
  id uuid PRIMARY KEY,
  pipeline_id uuid NOT NULL,
  kind text NOT NULL DEFAULT 'sync',
  status text NOT NULL DEFAULT 'queued',
  trigger text NOT NULL,
  -- W3C trace context of the request that started the run. It is the parent of the run's spans.
  -- Null: tracing was off.
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT runs_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
-- A pipeline has at most one open run of each kind. Runs of different kinds can be open at the same
-- time, because an audit takes long and must not block syncs.
CREATE UNIQUE INDEX runs_open_unique
  ON freshet.runs (pipeline_id, kind) WHERE status in ('queued', 'running');
--> statement-breakpoint
CREATE INDEX runs_pipeline_idx ON freshet.runs (pipeline_id, id);
--> statement-breakpoint

-- The part of a run that concerns one object.
CREATE TABLE freshet.object_runs (
  id uuid PRIMARY KEY,
  run_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  status text NOT NULL DEFAULT 'queued',
  mode text NOT NULL,
  -- The priority of the object run when credits or workers are scarce.
  credit_class text NOT NULL DEFAULT 'incremental',
  records_extracted bigint NOT NULL DEFAULT 0,
  records_inserted bigint NOT NULL DEFAULT 0,
  records_updated bigint NOT NULL DEFAULT 0,
  records_unchanged bigint NOT NULL DEFAULT 0,
  records_rejected bigint NOT NULL DEFAULT 0,
  records_deleted bigint NOT NULL DEFAULT 0,
  credits_used numeric NOT NULL DEFAULT 0,
  -- `credits_used` for each credit class, in the order of `CREDIT_CLASSES`.
  credits_by_class numeric[] NOT NULL DEFAULT '{0,0,0,0,0}',
  -- The uncompressed size of the object run's batches, in bytes.
  bytes_staged bigint NOT NULL DEFAULT 0,
  -- Whether the object run has used a complete slice. Its later jobs then have at most the priority
  -- of a backfill.
  is_long boolean NOT NULL DEFAULT false,
  -- Failed attempts since the last committed step.
  failures integer NOT NULL DEFAULT 0,
  -- The extraction state of an audit or a refresh; syncs use `pipeline_objects.position`.
  position jsonb,
  -- The fencing token of an audit or a refresh; syncs use `pipeline_objects.extract_epoch`.
  extract_epoch bigint NOT NULL DEFAULT 0,
  -- Rows that an audit inserted because the table lacked them.
  records_missing bigint NOT NULL DEFAULT 0,
  -- Rows that an audit updated because they were outdated.
  records_stale bigint NOT NULL DEFAULT 0,
  -- Outcome of an audit's lookups → number of keys with this outcome. The entry `not_believed`
  -- contains the number of rows that a rejected generation lacked.
  explained jsonb NOT NULL DEFAULT '{}'::jsonb,
  -- The completed share of the extraction, from 0 to less than 1. It never decreases. Null:
  -- unknown.
  progress double precision,
  -- The expected number of records. Null: unknown.
  records_expected bigint,
  -- Work units that the object run has read or set aside.
  units_done bigint NOT NULL DEFAULT 0,
  -- Failed units of the object that were outstanding when the object run finished.
  units_failed bigint NOT NULL DEFAULT 0,
  -- Conditions that do not fail the object run, but that users should know about.
  warnings jsonb NOT NULL DEFAULT '[]'::jsonb,
  -- When the extraction finished. Loading may finish later. Null: the extraction is open.
  extracted_at timestamptz,
  -- The time until which the object run waits, for credits, a backoff or the warehouse.
  not_before timestamptz,
  complete_as_of timestamptz,
  complete_back_to timestamptz,
  error_code text,
  error_message text,
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT object_runs_run_object_unique UNIQUE (run_id, object),
  CONSTRAINT object_runs_run_id_runs_id_fk FOREIGN KEY (run_id) REFERENCES freshet.runs (id) ON DELETE CASCADE
);
--> statement-breakpoint

-- -------- Staging and work queues --------

-- Numbers the batches in the order of storage, across all partitions.
CREATE SEQUENCE freshet.batches_order;
--> statement-breakpoint
-- Batches: records that are stored durably between extraction and load. The table has one partition
-- for each day. A partition is dropped when none of its batches is needed any more; see
-- `batch-partitions.ts`.
CREATE TABLE freshet.batches (
  id uuid NOT NULL,
  -- The day (UTC) on which the batch was stored. It is the partition key.
  stored_on date NOT NULL DEFAULT (now() at time zone 'UTC')::date,
  -- The sequence number of the batch in the order of storage. The batches of a table are loaded in
  -- this order.
  seq bigint NOT NULL DEFAULT nextval('freshet.batches_order'),
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  object_run_id uuid NOT NULL,
  -- The generation that the records belong to. Null: the records belong to no generation, so they
  -- cannot reveal deletions.
  generation text,
  -- The number of records.
  records integer NOT NULL,
  -- The uncompressed size, in bytes.
  raw_bytes integer NOT NULL,
  extracted_at timestamptz NOT NULL,
  -- The records as NDJSON, compressed with zstd.
  body bytea NOT NULL,
  -- When the batch was marked as loaded, after the warehouse had committed it. Null: the batch is
  -- pending.
  loaded_at timestamptz,
  CONSTRAINT batches_id_stored_on_pk PRIMARY KEY (id, stored_on),
  CONSTRAINT batches_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
) PARTITION BY RANGE (stored_on);
--> statement-breakpoint
-- The bodies are already compressed, so PostgreSQL need not try to compress them.
ALTER TABLE freshet.batches ALTER COLUMN body SET STORAGE EXTERNAL;
--> statement-breakpoint
-- Finds the pending batches of a table in the order of storage.
CREATE INDEX batches_pending_idx ON freshet.batches (pipeline_id, object, seq) WHERE loaded_at is null;
--> statement-breakpoint
CREATE INDEX batches_object_run_idx ON freshet.batches (object_run_id);
--> statement-breakpoint
-- The partition for days without a dedicated partition.
CREATE TABLE freshet.batches_default PARTITION OF freshet.batches DEFAULT;
--> statement-breakpoint
-- The partition of today. The scheduler creates the partitions of later days in advance, and drops
-- old partitions.
DO $$ BEGIN
  EXECUTE format('CREATE TABLE freshet.%I PARTITION OF freshet.batches FOR VALUES FROM (%L) TO (%L)',
    'batches_' || to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD'),
    (now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 1);
END $$;
--> statement-breakpoint

-- Child work: one row for each known parent of a child object. The children of a parent are pending
-- while `version` differs from `done_version`.
CREATE TABLE freshet.child_work (
  -- This column has no foreign key, because checking the key for each parent of a page would make
  -- the insert take 1.5 times as long. `Pipelines.delete` deletes the rows.
  pipeline_id uuid NOT NULL,
  -- The child object.
  object text NOT NULL,
  parent_id text NOT NULL,
  -- The latest known version of the parent.
  version text NOT NULL,
  -- The version of the parent for which the children were extracted. Null: the children must be
  -- extracted.
  done_version text,
  -- Whether the child list was empty although the table contains children of the parent. A second
  -- empty list confirms that the children were deleted.
  needs_confirmation boolean NOT NULL DEFAULT false,
  -- When `version` last changed. Pending work is ordered by this time.
  changed_at timestamptz NOT NULL,
  CONSTRAINT child_work_pipeline_id_object_parent_id_pk PRIMARY KEY (pipeline_id, object, parent_id)
);
--> statement-breakpoint
-- Finds the pending parents, beginning with the parents that have waited longest.
CREATE INDEX child_work_pending_idx
  ON freshet.child_work (pipeline_id, object, changed_at, parent_id) WHERE done_version is distinct from version;
--> statement-breakpoint

-- Lookups of audits and refreshes: keys that an audit did not return, id gaps, parents whose
-- children are extracted again, and records that a user wants to refresh.
CREATE TABLE freshet.audit_work (
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  key text NOT NULL,
  -- Why the key is looked up: `unseen`, `gap`, `parent` or `requested`.
  reason text NOT NULL,
  -- The object run that looks the key up.
  object_run_id uuid NOT NULL,
  -- The result of the lookup. Null: pending.
  outcome text,
  -- Whether the outcome cannot change. The row is then retained, and audits skip the key.
  is_final boolean NOT NULL DEFAULT false,
  CONSTRAINT audit_work_pipeline_id_object_key_pk PRIMARY KEY (pipeline_id, object, key),
  CONSTRAINT audit_work_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
-- Finds the pending lookups of an object run.
CREATE INDEX audit_work_pending_idx ON freshet.audit_work (object_run_id, key) WHERE outcome is null;
--> statement-breakpoint

-- Failed units: parents whose children cannot be read, and records that cannot be read from their
-- own endpoint. Each unit is retried at growing intervals, while the rest of its object continues.
CREATE TABLE freshet.failed_units (
  id uuid PRIMARY KEY,
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  -- The key of the parent, or of the record.
  key text NOT NULL,
  -- Failed attempts since the unit last succeeded.
  attempts integer NOT NULL DEFAULT 1,
  error_code text NOT NULL,
  error_message text NOT NULL,
  -- The object run of the last attempt.
  object_run_id uuid NOT NULL,
  first_failed_at timestamptz NOT NULL DEFAULT now(),
  last_failed_at timestamptz NOT NULL DEFAULT now(),
  -- Syncs skip the unit until this time.
  next_attempt_at timestamptz NOT NULL,
  CONSTRAINT failed_units_key_unique UNIQUE (pipeline_id, object, key),
  CONSTRAINT failed_units_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX failed_units_pipeline_idx ON freshet.failed_units (pipeline_id, id);
--> statement-breakpoint

-- Rejected records: records that could not be loaded. They are stored until a user replays or
-- discards them.
CREATE TABLE freshet.rejected_records (
  id uuid PRIMARY KEY,
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  batch_id uuid NOT NULL,
  -- Index of the line in the batch, from 0.
  line integer NOT NULL,
  reason text NOT NULL,
  -- When the record was extracted.
  extracted_at timestamptz,
  -- SHA-256 of the line. An unchanged record is stored here only once, no matter how often it is
  -- extracted.
  fingerprint text,
  -- The line of the batch. The line is sealed, because a record is personal data.
  raw text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT rejected_records_line_unique UNIQUE (batch_id, line),
  CONSTRAINT rejected_records_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
-- An unchanged record that is rejected again does not add a row.
CREATE UNIQUE INDEX rejected_records_fingerprint_unique
  ON freshet.rejected_records (pipeline_id, object, fingerprint);
--> statement-breakpoint
CREATE INDEX rejected_records_pipeline_idx ON freshet.rejected_records (pipeline_id, id);
--> statement-breakpoint

-- -------- Erasures --------

-- Erasures: each erasure removes the data of a person from a pipeline, and excludes the data from
-- later runs.
CREATE TABLE freshet.erasures (
  id uuid PRIMARY KEY,
  pipeline_id uuid NOT NULL,
  -- The object that contains the person, such as `contacts`.
  object text NOT NULL,
  -- The key of the person in the object.
  key text NOT NULL,
  status text NOT NULL DEFAULT 'queued',
  removed jsonb NOT NULL DEFAULT '[]'::jsonb,
  -- The owner fields that the pipeline drops, each in the form `object.field`. Freshet cannot
  -- search these fields for the person.
  unsearchable jsonb NOT NULL DEFAULT '[]'::jsonb,
  proof jsonb,
  failures integer NOT NULL DEFAULT 0,
  error_code text,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT erasures_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX erasures_pipeline_idx ON freshet.erasures (pipeline_id, id);
--> statement-breakpoint

-- The keys of erased persons and of their records. Freshet must not store these records again, and
-- also excludes new records that belong to these persons or records.
CREATE TABLE freshet.erased_keys (
  pipeline_id uuid NOT NULL,
  object text NOT NULL,
  key text NOT NULL,
  erasure_id uuid NOT NULL,
  CONSTRAINT erased_keys_pipeline_id_object_key_pk PRIMARY KEY (pipeline_id, object, key),
  CONSTRAINT erased_keys_pipeline_id_pipelines_id_fk
    FOREIGN KEY (pipeline_id) REFERENCES freshet.pipelines (id) ON DELETE CASCADE,
  CONSTRAINT erased_keys_erasure_id_erasures_id_fk
    FOREIGN KEY (erasure_id) REFERENCES freshet.erasures (id) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX erased_keys_erasure_idx ON freshet.erased_keys (erasure_id);
--> statement-breakpoint

-- -------- Dead jobs and credits --------

-- Dead jobs: jobs that failed, or crashed their worker, on every attempt. They are stored until a
-- user retries or discards them.
CREATE TABLE freshet.dead_jobs (
  id uuid PRIMARY KEY,
  queue text NOT NULL,
  -- The payload of the job: only ids and object names.
  data jsonb NOT NULL,
  -- The number of attempts.
  attempts integer NOT NULL,
  reason text NOT NULL,
  -- Null: the job concerns no pipeline, or the pipeline was deleted.
  pipeline_id uuid,
  died_at timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
CREATE INDEX dead_jobs_pipeline_idx ON freshet.dead_jobs (pipeline_id, id);
--> statement-breakpoint

-- Credit buckets: the rate limits of each account, and the used part of each limit. All workers of
-- an account share these rows. Each request updates these rows, so the fill factor leaves room for
-- heap-only updates.
CREATE TABLE freshet.credit_buckets (
  account text NOT NULL,
  -- `account`, or the name of an endpoint with a separate limit.
  bucket text NOT NULL,
  -- The credits per window, from the rate-limit headers. Null: unknown.
  total numeric,
  -- The credits used in the current window, or the requests if `counts_calls` is set.
  used numeric NOT NULL DEFAULT 0,
  -- Whether the account's responses contain no rate-limit headers.
  unlimited boolean NOT NULL DEFAULT false,
  window_ends_at timestamptz NOT NULL DEFAULT now(),
  -- The end of a `Retry-After`. No request is sent before this time.
  blocked_until timestamptz,
  -- Whether the bucket counts requests instead of credits. Freshet detects this from a response.
  counts_calls boolean NOT NULL DEFAULT false,
  -- `used` for each credit class, in the order of `CREDIT_CLASSES`.
  used_by_class numeric[] NOT NULL DEFAULT '{0,0,0,0,0}',
  -- For each credit class, in the order of `CREDIT_CLASSES`: the time until which the class
  -- reserves the bucket against less urgent classes, because it was denied credits.
  reserved_until timestamptz[] NOT NULL DEFAULT array_fill(null::timestamptz, array[5]),
  CONSTRAINT credit_buckets_account_bucket_pk PRIMARY KEY (account, bucket)
) WITH (fillfactor = 50);
--> statement-breakpoint

-- -------- Security --------

-- API tokens. Only their digests are stored.
CREATE TABLE freshet.api_tokens (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The ETag of the resource: each update increments it.
  version integer NOT NULL DEFAULT 1,
  name text NOT NULL,
  role text NOT NULL,
  -- A subset of the permissions of the role. Null: all of them.
  scopes text[],
  -- SHA-256 of the token. A slow hash is not needed, because a token has enough entropy.
  digest text NOT NULL,
  -- The digest of the token before the last rotation.
  previous_digest text,
  -- The time until which the previous token is accepted.
  previous_until timestamptz,
  expires_at timestamptz,
  rotated_at timestamptz NOT NULL DEFAULT now(),
  -- Accurate to a minute, so that most requests need not update the row.
  last_used_at timestamptz,
  CONSTRAINT api_tokens_digest_unique UNIQUE (digest),
  CONSTRAINT api_tokens_previous_digest_unique UNIQUE (previous_digest)
);
--> statement-breakpoint

-- Responses to requests with an `Idempotency-Key`. They are retained for a day.
CREATE TABLE freshet.idempotency_keys (
  id uuid PRIMARY KEY,
  token_id uuid NOT NULL,
  key text NOT NULL,
  -- Digest of method, path and body. It reveals a different request that reuses the key.
  fingerprint text NOT NULL,
  -- Status code of the response.
  status integer,
  headers jsonb NOT NULL DEFAULT '{}'::jsonb,
  -- The sealed response body, which may contain a new token. Null: the response has no body.
  body text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_keys_key_unique UNIQUE (token_id, key),
  CONSTRAINT idempotency_keys_token_id_api_tokens_id_fk
    FOREIGN KEY (token_id) REFERENCES freshet.api_tokens (id) ON DELETE CASCADE
);
--> statement-breakpoint
-- Retention uses this index to find old rows.
CREATE INDEX idempotency_keys_created_at_idx ON freshet.idempotency_keys (created_at);
--> statement-breakpoint

-- The audit log of the API. Triggers reject all updates, and all deletions except those by
-- retention.
CREATE TABLE freshet.audit_log (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  -- The id of the token.
  actor_id uuid NOT NULL,
  -- The name of the token at the time of the request.
  actor_name text NOT NULL,
  -- The role of the token at the time of the request.
  actor_role text NOT NULL,
  -- The IP address of the client.
  address text NOT NULL,
  request_id text NOT NULL,
  -- The operation id of the API.
  action text NOT NULL,
  -- The path of the resource, such as `pipelines/<id>`.
  resource text NOT NULL,
  -- The resource before the change, as the API returns it, without secrets. Null: the resource did
  -- not exist.
  before jsonb,
  after jsonb
);
--> statement-breakpoint
CREATE INDEX audit_log_resource_idx ON freshet.audit_log (resource, id);
--> statement-breakpoint
CREATE INDEX audit_log_actor_idx ON freshet.audit_log (actor_id, id);
--> statement-breakpoint

-- -------- Webhooks --------

-- Webhooks: the subscribers to events.
CREATE TABLE freshet.webhooks (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- The ETag of the resource: each update increments it.
  version integer NOT NULL DEFAULT 1,
  name text NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL,
  enabled boolean NOT NULL,
  -- Why Freshet disabled the webhook. Null: Freshet did not disable it.
  disabled_reason text,
  -- The sealed signing secret.
  secret text NOT NULL,
  -- The body to send instead of the event. Null: the event is sent.
  template jsonb,
  -- The sealed value of `{{secret}}` in the template and in the URL.
  template_secret text,
  -- The sealed signing secret before the last rotation.
  previous_secret text,
  -- The time until which messages are also signed with the previous secret.
  previous_until timestamptz,
  -- When the current series of failed attempts began. Null: the last attempt succeeded.
  failing_since timestamptz,
  CONSTRAINT webhooks_name_unique UNIQUE (name)
);
--> statement-breakpoint

-- Events that at least one webhook subscribes to.
CREATE TABLE freshet.events (
  id uuid PRIMARY KEY,
  type text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  data jsonb NOT NULL
);
--> statement-breakpoint
-- Retention uses this index to find old rows.
CREATE INDEX events_at_idx ON freshet.events (at);
--> statement-breakpoint

-- Deliveries of events to webhooks.
CREATE TABLE freshet.webhook_deliveries (
  id uuid PRIMARY KEY,
  webhook_id uuid NOT NULL,
  event_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_attempt_at timestamptz,
  next_attempt_at timestamptz,
  -- Status code of the last attempt. Null: there was no response.
  response_status integer,
  error text,
  CONSTRAINT webhook_deliveries_webhook_id_webhooks_id_fk
    FOREIGN KEY (webhook_id) REFERENCES freshet.webhooks (id) ON DELETE CASCADE,
  CONSTRAINT webhook_deliveries_event_id_events_id_fk
    FOREIGN KEY (event_id) REFERENCES freshet.events (id) ON DELETE CASCADE
);
--> statement-breakpoint
CREATE INDEX webhook_deliveries_webhook_idx ON freshet.webhook_deliveries (webhook_id, id);
--> statement-breakpoint
CREATE INDEX webhook_deliveries_event_idx ON freshet.webhook_deliveries (event_id);
--> statement-breakpoint

-- -------- Functions, triggers and views --------

-- Takes credits from all of the buckets, or from none of them.
--
-- Returns 0 when the credits were taken. Otherwise, returns the number of milliseconds until credits
-- may be available.
-- p_class is the index of the credit class, where 0 is the most urgent class. A class that is denied
-- credits reserves the bucket against less urgent classes until 5 seconds after the time at which
-- credits may be available. Each request that is granted to the class before then moves the end of
-- the reservation to 2 seconds after the request.
-- Buckets are locked in the order of their names, so that concurrent callers cannot deadlock.
CREATE FUNCTION freshet.take_credits(
  p_account text, p_buckets text[], p_credits numeric, p_share_percent numeric, p_class integer
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  b freshet.credit_buckets;
  t timestamptz := clock_timestamp();
  cost numeric;
  allowance numeric;
  free_at timestamptz;
  denied_until timestamptz;
BEGIN
  INSERT INTO freshet.credit_buckets (account, bucket)
  SELECT p_account, name FROM unnest(p_buckets) AS name ORDER BY name
  ON CONFLICT DO NOTHING;
  FOR b IN
    SELECT * FROM freshet.credit_buckets
    WHERE account = p_account AND bucket = ANY (p_buckets) ORDER BY bucket FOR UPDATE
  LOOP
    free_at := b.blocked_until;
    IF NOT b.unlimited THEN
      -- greatest() ignores nulls.
      SELECT greatest(free_at, max(r)) INTO free_at FROM unnest(b.reserved_until[1:p_class]) AS r;
      IF b.window_ends_at > t THEN
        cost := CASE WHEN b.counts_calls THEN 1 ELSE p_credits END;
        -- While the limit is unknown, assume half the limit of the smallest plan.
        allowance := greatest(floor(coalesce(b.total, 25) * p_share_percent / 100), cost);
        IF b.used + cost > allowance THEN
          free_at := greatest(free_at, b.window_ends_at);
        -- Backfill and audit leave a tenth of the credits to other classes until the last 15
        -- seconds of a window.
        ELSIF p_class >= 3 AND b.window_ends_at - t > interval '15 seconds'
          AND b.used + cost > greatest(floor(allowance * 0.9), cost) THEN
          free_at := greatest(free_at, b.window_ends_at - interval '15 seconds');
        END IF;
      END IF;
    END IF;
    IF free_at > t THEN
      denied_until := greatest(denied_until, free_at);
      UPDATE freshet.credit_buckets SET reserved_until[p_class + 1] = free_at + interval '5 seconds'
      WHERE account = p_account AND bucket = b.bucket;
    END IF;
  END LOOP;
  IF denied_until IS NOT NULL THEN
    RETURN greatest(1, ceil(extract(epoch FROM denied_until - t) * 1000)::integer);
  END IF;
  FOR b IN
    SELECT * FROM freshet.credit_buckets WHERE account = p_account AND bucket = ANY (p_buckets)
  LOOP
    cost := CASE WHEN b.counts_calls THEN 1 ELSE p_credits END;
    IF b.window_ends_at <= t THEN
      b.used := 0;
      b.used_by_class := array_fill(0::numeric, array[5]);
      -- Freshdesk's window begins when the request arrives at Freshdesk, which is later than this
      -- time. The response corrects this estimate.
      b.window_ends_at := t + interval '61 seconds';
    END IF;
    b.used_by_class[p_class + 1] := b.used_by_class[p_class + 1] + cost;
    b.reserved_until[p_class + 1] :=
      CASE WHEN b.reserved_until[p_class + 1] > t THEN t + interval '2 seconds' END;
    UPDATE freshet.credit_buckets
    SET used = b.used + cost, window_ends_at = b.window_ends_at, used_by_class = b.used_by_class,
      reserved_until = b.reserved_until
    WHERE account = p_account AND bucket = b.bucket;
  END LOOP;
  RETURN 0;
END
$$;
--> statement-breakpoint

-- Reconciles a bucket with the rate-limit headers of a response, because other clients also spend
-- credits, limits change, and Freshdesk determines when a window begins.
-- p_used is the cost of the request itself.
CREATE FUNCTION freshet.reconcile_credits(
  p_account text, p_bucket text, p_total numeric, p_remaining numeric, p_used numeric
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  b freshet.credit_buckets;
  t timestamptz := clock_timestamp();
  spent numeric := p_total - p_remaining;
BEGIN
  PERFORM FROM freshet.credit_buckets
  WHERE account = p_account AND bucket IN ('account', p_bucket) ORDER BY bucket FOR UPDATE;
  SELECT * INTO b FROM freshet.credit_buckets WHERE account = p_account AND bucket = p_bucket;
  b.unlimited := false;
  b.total := coalesce(p_total, b.total);
  -- If the bucket counted credits, the used credits would be at least the cost of this request.
  IF p_used > 1 AND spent BETWEEN 1 AND p_used - 1 AND NOT b.counts_calls THEN
    b.counts_calls := true;
    b.used := spent;
  END IF;
  b.used := greatest(b.used, spent);
  -- This was the first request of Freshdesk's window, so the window ends within 60 seconds.
  IF spent <= (CASE WHEN b.counts_calls THEN 1 ELSE p_used END) THEN
    -- Unless the stored window has just begun, it is the previous window and must be replaced.
    IF b.window_ends_at < t + interval '55 seconds' THEN
      b.used := spent;
      b.used_by_class := array_fill(0::numeric, array[5]);
      b.window_ends_at := t + interval '60100 milliseconds';
    END IF;
    b.window_ends_at := least(b.window_ends_at, t + interval '60100 milliseconds');
  END IF;
  UPDATE freshet.credit_buckets
  SET unlimited = b.unlimited, total = b.total, counts_calls = b.counts_calls, used = b.used,
    used_by_class = b.used_by_class, window_ends_at = b.window_ends_at
  WHERE account = p_account AND bucket = p_bucket;
  -- A response describes the bucket of the request with the tighter limit. If this limit equals the
  -- limit of the account, the response may describe the bucket of the account.
  IF p_bucket <> 'account' THEN
    UPDATE freshet.credit_buckets SET used = greatest(used, spent)
    WHERE account = p_account AND bucket = 'account' AND total = p_total;
  END IF;
END
$$;
--> statement-breakpoint

-- Rejects changes to the audit log.
CREATE FUNCTION freshet.reject_audit_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR TRUNCATE ON freshet.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION freshet.reject_audit_log_change();
--> statement-breakpoint

-- Allows retention, which sets freshet.retention to 'on', to delete entries older than a year.
CREATE FUNCTION freshet.protect_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.at < now() - interval '365 days' AND current_setting('freshet.retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER audit_log_retention BEFORE DELETE ON freshet.audit_log
  FOR EACH ROW EXECUTE FUNCTION freshet.protect_audit_log();
--> statement-breakpoint

-- Counts the jobs of each queue. This is a function instead of a plain view, because pg-boss
-- creates its tables after this migration.
CREATE FUNCTION freshet.queue_backlog() RETURNS TABLE (
  queue text, ready integer, deferred integer, active integer, oldest_seconds double precision
) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT j.name,
      (count(*) FILTER (WHERE j.state < 'active' AND j.start_after <= now()))::int,
      (count(*) FILTER (WHERE j.state < 'active' AND j.start_after > now()))::int,
      (count(*) FILTER (WHERE j.state = 'active'))::int,
      coalesce(extract(epoch FROM now() - min(j.start_after)
        FILTER (WHERE j.state < 'active' AND j.start_after <= now())), 0)::float8
    FROM pgboss.job j WHERE j.state <= 'active' GROUP BY j.name;
END $$;
--> statement-breakpoint
-- The interface for autoscalers and operators.
CREATE VIEW freshet.backlog AS SELECT * FROM freshet.queue_backlog();
--> statement-breakpoint
COMMENT ON VIEW freshet.backlog IS
  'Jobs by queue: ready (due), deferred (scheduled for later) and active, and the age of the oldest ready job in seconds.';
