ALTER TABLE "freshet"."rejected_records" ADD COLUMN "extracted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "freshet"."rejected_records" ADD COLUMN "fingerprint" text;--> statement-breakpoint
CREATE UNIQUE INDEX "rejected_records_same" ON "freshet"."rejected_records" USING btree ("pipeline_id","object","fingerprint");--> statement-breakpoint
CREATE INDEX "rejected_records_of_pipeline" ON "freshet"."rejected_records" USING btree ("pipeline_id","id");