CREATE TABLE "freshet"."audit_work" (
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"reason" text NOT NULL,
	"object_run_id" uuid NOT NULL,
	"outcome" text,
	"lasting" boolean DEFAULT false NOT NULL,
	CONSTRAINT "audit_work_pipeline_id_object_key_pk" PRIMARY KEY("pipeline_id","object","key")
);
--> statement-breakpoint
DROP INDEX "freshet"."runs_one_open";--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "position" jsonb;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "extract_epoch" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "records_missing" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "records_stale" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "explained" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "audit_frequency_days" integer DEFAULT 7;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "next_audit_at" timestamp with time zone DEFAULT now() + interval '7 days' NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."runs" ADD COLUMN "kind" text DEFAULT 'sync' NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."audit_work" ADD CONSTRAINT "audit_work_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_work_pending" ON "freshet"."audit_work" USING btree ("object_run_id","key") WHERE outcome is null;--> statement-breakpoint
CREATE UNIQUE INDEX "runs_one_open" ON "freshet"."runs" USING btree ("pipeline_id","kind") WHERE status in ('queued', 'running');