ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "restarted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "completing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "completion_started_for" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "is_full_reading" boolean DEFAULT false NOT NULL;