ALTER TABLE "freshet"."pipelines" ADD COLUMN "record_spike" jsonb;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "monthly_quota" jsonb;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "quota_told" text;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "next_digest_at" timestamp with time zone DEFAULT now() + interval '1 day' NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."pipelines" ADD COLUMN "paused_by" text;--> statement-breakpoint
ALTER TABLE "freshet"."webhooks" ADD COLUMN "template" jsonb;--> statement-breakpoint
ALTER TABLE "freshet"."webhooks" ADD COLUMN "template_secret" text;