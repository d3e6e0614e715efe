CREATE TABLE "freshet"."failed_units" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"attempts" integer DEFAULT 1 NOT NULL,
	"error_code" text NOT NULL,
	"error_message" text NOT NULL,
	"object_run_id" uuid NOT NULL,
	"first_failed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_failed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	CONSTRAINT "failed_units_once" UNIQUE("pipeline_id","object","key")
);
--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "progress" double precision;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "records_expected" bigint;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "units_done" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "units_failed" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "restarted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "completing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "completion_started_for" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "is_full_reading" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."failed_units" ADD CONSTRAINT "failed_units_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "failed_units_of_pipeline" ON "freshet"."failed_units" USING btree ("pipeline_id","id");