CREATE TABLE "freshet"."dead_jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"data" jsonb NOT NULL,
	"attempts" integer NOT NULL,
	"reason" text NOT NULL,
	"pipeline_id" uuid,
	"died_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "dead_jobs_of_pipeline" ON "freshet"."dead_jobs" USING btree ("pipeline_id","id");