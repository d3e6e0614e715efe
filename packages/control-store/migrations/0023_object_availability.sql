ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "availability" text;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "availability_message" text;--> statement-breakpoint
ALTER TABLE "freshet"."pipeline_objects" ADD COLUMN "first_read_at" timestamp with time zone;--> statement-breakpoint
-- The position of children is always empty: it does not prove that anything was read.
UPDATE "freshet"."pipeline_objects" SET "first_read_at" = coalesce("complete_as_of", now()), "availability" = 'available'
  WHERE "complete_as_of" IS NOT NULL OR "position" <> '{}';
