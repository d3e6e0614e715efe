CREATE TABLE "freshet"."erased_keys" (
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"erasure_id" uuid NOT NULL,
	CONSTRAINT "erased_keys_pipeline_id_object_key_pk" PRIMARY KEY("pipeline_id","object","key")
);
--> statement-breakpoint
CREATE TABLE "freshet"."erasures" (
	"id" uuid PRIMARY KEY NOT NULL,
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"removed" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"unsearchable" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"proof" jsonb,
	"failures" integer DEFAULT 0 NOT NULL,
	"error_code" text,
	"error_message" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "freshet"."erased_keys" ADD CONSTRAINT "erased_keys_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."erased_keys" ADD CONSTRAINT "erased_keys_erasure_id_erasures_id_fk" FOREIGN KEY ("erasure_id") REFERENCES "freshet"."erasures"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "freshet"."erasures" ADD CONSTRAINT "erasures_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "erased_keys_of_erasure" ON "freshet"."erased_keys" USING btree ("erasure_id");--> statement-breakpoint
CREATE INDEX "erasures_of_pipeline" ON "freshet"."erasures" USING btree ("pipeline_id","id");