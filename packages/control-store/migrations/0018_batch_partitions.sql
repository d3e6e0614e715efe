-- Batches are kept in a partition for each day. What was stored before stays where it is, in the partition of all other days, and goes in pieces.
-- Short, whatever is stored: the table is renamed and attached, and its new column has one value for all rows.
CREATE SEQUENCE "freshet"."batches_order";--> statement-breakpoint
SELECT setval('freshet.batches_order', coalesce((SELECT max("seq") FROM "freshet"."batches"), 0) + 1);--> statement-breakpoint
ALTER TABLE "freshet"."batches" RENAME TO "batches_other";--> statement-breakpoint
ALTER TABLE "freshet"."batches_other" ALTER COLUMN "seq" DROP IDENTITY;--> statement-breakpoint
ALTER TABLE "freshet"."batches_other" ALTER COLUMN "seq" SET DEFAULT nextval('freshet.batches_order');--> statement-breakpoint
ALTER TABLE "freshet"."batches_other" ADD COLUMN "stored_on" date DEFAULT (now() at time zone 'UTC')::date NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."batches_other" DROP CONSTRAINT "batches_pkey";--> statement-breakpoint
ALTER TABLE "freshet"."batches_other" DROP CONSTRAINT "batches_pipeline_id_pipelines_id_fk";--> statement-breakpoint
ALTER INDEX "freshet"."batches_pending" RENAME TO "batches_other_pending";--> statement-breakpoint
ALTER INDEX "freshet"."batches_of_run" RENAME TO "batches_other_of_run";--> statement-breakpoint
CREATE TABLE "freshet"."batches" (LIKE "freshet"."batches_other" INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE ("stored_on");--> statement-breakpoint
ALTER TABLE "freshet"."batches" ATTACH PARTITION "freshet"."batches_other" DEFAULT;--> statement-breakpoint
ALTER TABLE "freshet"."batches" ADD CONSTRAINT "batches_id_stored_on_pk" PRIMARY KEY ("id", "stored_on");--> statement-breakpoint
ALTER TABLE "freshet"."batches" ADD CONSTRAINT "batches_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade;--> statement-breakpoint
CREATE INDEX "batches_pending" ON "freshet"."batches" USING btree ("pipeline_id","object","seq") WHERE loaded_at is null;--> statement-breakpoint
CREATE INDEX "batches_of_run" ON "freshet"."batches" USING btree ("object_run_id");--> statement-breakpoint
-- Today's as well where nothing was stored before: schedulers make those of the days that come.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM "freshet"."batches_other") THEN
    EXECUTE format('CREATE TABLE freshet.%I PARTITION OF freshet.batches FOR VALUES FROM (%L) TO (%L)',
      'batches_' || to_char((now() at time zone 'UTC')::date, 'YYYYMMDD'), (now() at time zone 'UTC')::date, (now() at time zone 'UTC')::date + 1);
  END IF;
END $$;
