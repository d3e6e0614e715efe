CREATE SCHEMA "freshet";
--> statement-breakpoint
CREATE TABLE "freshet"."api_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"digest" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "api_tokens_digest_unique" UNIQUE("digest")
);
--> statement-breakpoint
CREATE TABLE "freshet"."batches" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "freshet"."batches_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"object_run_id" uuid NOT NULL,
	"generation" text,
	"records" integer NOT NULL,
	"raw_bytes" integer NOT NULL,
	"extracted_at" timestamp with time zone NOT NULL,
	"body" "bytea" NOT NULL,
	"loaded_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "freshet"."child_work" (
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"parent_id" text NOT NULL,
	"version" text NOT NULL,
	"done_version" text,
	"changed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "child_work_pipeline_id_object_parent_id_pk" PRIMARY KEY("pipeline_id","object","parent_id")
);
--> statement-breakpoint
CREATE TABLE "freshet"."credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"secret" text NOT NULL,
	"hint" text NOT NULL,
	"rotated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credentials_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "freshet"."credit_buckets" (
	"account" text NOT NULL,
	"bucket" text NOT NULL,
	"total" numeric,
	"used" numeric DEFAULT 0 NOT NULL,
	"unlimited" boolean DEFAULT false NOT NULL,
	"window_ends_at" timestamp with time zone DEFAULT now() NOT NULL,
	"blocked_until" timestamp with time zone,
	CONSTRAINT "credit_buckets_account_bucket_pk" PRIMARY KEY("account","bucket")
);
--> statement-breakpoint
CREATE TABLE "freshet"."destinations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"host" text NOT NULL,
	"port" integer NOT NULL,
	"database" text NOT NULL,
	"username" text NOT NULL,
	"credential_id" uuid NOT NULL,
	"ssl_mode" text NOT NULL,
	CONSTRAINT "destinations_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "freshet"."object_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"mode" text NOT NULL,
	"records_extracted" bigint DEFAULT 0 NOT NULL,
	"records_inserted" bigint DEFAULT 0 NOT NULL,
	"records_updated" bigint DEFAULT 0 NOT NULL,
	"records_unchanged" bigint DEFAULT 0 NOT NULL,
	"records_rejected" bigint DEFAULT 0 NOT NULL,
	"records_deleted" bigint DEFAULT 0 NOT NULL,
	"credits_used" numeric DEFAULT 0 NOT NULL,
	"bytes_staged" bigint DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"extracted_at" timestamp with time zone,
	"not_before" timestamp with time zone,
	"complete_as_of" timestamp with time zone,
	"complete_back_to" timestamp with time zone,
	"error_code" text,
	"error_message" text,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "object_runs_once" UNIQUE("run_id","object")
);
--> statement-breakpoint
CREATE TABLE "freshet"."pipeline_objects" (
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"position" jsonb,
	"custom_columns" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"extract_epoch" bigint DEFAULT 0 NOT NULL,
	"load_epoch" bigint DEFAULT 0 NOT NULL,
	"complete_as_of" timestamp with time zone,
	"complete_back_to" timestamp with time zone,
	CONSTRAINT "pipeline_objects_pipeline_id_object_pk" PRIMARY KEY("pipeline_id","object")
);
--> statement-breakpoint
CREATE TABLE "freshet"."pipelines" (
	"id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"name" text NOT NULL,
	"subdomain" text NOT NULL,
	"credential_id" uuid NOT NULL,
	"historical_sync_days" integer,
	"credit_share_percent" integer NOT NULL,
	"destination_id" uuid NOT NULL,
	"destination_schema" text NOT NULL,
	"table_prefix" text NOT NULL,
	"frequency_minutes" integer NOT NULL,
	"objects" jsonb NOT NULL,
	"schema_policy" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"next_run_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipelines_name_unique" UNIQUE("name"),
	CONSTRAINT "pipelines_one_writer" UNIQUE("destination_id","destination_schema","table_prefix")
);
--> statement-breakpoint
CREATE TABLE "freshet"."rejected_records" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"batch_id" uuid NOT NULL,
	"line" integer NOT NULL,
	"reason" text NOT NULL,
	"raw" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rejected_records_once" UNIQUE("batch_id","line")
);
--> statement-breakpoint
CREATE TABLE "freshet"."runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline_id" uuid NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"trigger" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "freshet"."batches" ADD CONSTRAINT "batches_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."child_work" ADD CONSTRAINT "child_work_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."destinations" ADD CONSTRAINT "destinations_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "freshet"."credentials"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD CONSTRAINT "object_runs_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "freshet"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD CONSTRAINT "pipeline_objects_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD CONSTRAINT "pipelines_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "freshet"."credentials"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD CONSTRAINT "pipelines_destination_id_destinations_id_fk" FOREIGN KEY ("destination_id") REFERENCES "freshet"."destinations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."rejected_records" ADD CONSTRAINT "rejected_records_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."runs" ADD CONSTRAINT "runs_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "batches_pending" ON "freshet"."batches" USING btree ("pipeline_id","object","seq") WHERE loaded_at is null;--> statement-breakpoint
CREATE INDEX "batches_of_run" ON "freshet"."batches" USING btree ("object_run_id");--> statement-breakpoint
CREATE INDEX "child_work_pending" ON "freshet"."child_work" USING btree ("pipeline_id","object","changed_at","parent_id") WHERE done_version is distinct from version;--> statement-breakpoint
CREATE INDEX "pipelines_due" ON "freshet"."pipelines" USING btree ("next_run_at") WHERE status = 'active';--> statement-breakpoint
CREATE UNIQUE INDEX "runs_one_open" ON "freshet"."runs" USING btree ("pipeline_id") WHERE status in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "runs_of_pipeline" ON "freshet"."runs" USING btree ("pipeline_id","id");