ALTER TABLE "freshet"."object_runs" ADD COLUMN "is_long" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "priority" text DEFAULT 'normal' NOT NULL;