CREATE TABLE "freshet"."analytics_refreshes" (
	"pipeline_id" uuid PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"requests" bigint NOT NULL,
	"refreshed_at" timestamp with time zone,
	"kind" text,
	"tickets" bigint,
	"warnings" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"error_code" text,
	"error_message" text
);
--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "analytics" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "analytics_time_zone" text;--> statement-breakpoint
ALTER TABLE "freshet"."analytics_refreshes" ADD CONSTRAINT "analytics_refreshes_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;