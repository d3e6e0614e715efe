ALTER TABLE "freshet"."child_work" DROP CONSTRAINT "child_work_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
-- Compressed already: PostgreSQL need not try.
ALTER TABLE "freshet"."batches" ALTER COLUMN "body" SET STORAGE EXTERNAL;
