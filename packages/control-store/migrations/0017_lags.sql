CREATE TABLE "freshet"."lags" (
	"pipeline_id" uuid NOT NULL,
	"object" text NOT NULL,
	"day" date NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"until" timestamp with time zone NOT NULL,
	CONSTRAINT "lags_pipeline_id_object_day_pk" PRIMARY KEY("pipeline_id","object","day")
);
--> statement-breakpoint
ALTER TABLE "freshet"."lags" ADD CONSTRAINT "lags_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "freshet"."pipelines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "lags_age" ON "freshet"."lags" USING btree ("until");