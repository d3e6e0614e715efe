CREATE TABLE "freshet"."sign_ins" (
	"id" uuid PRIMARY KEY NOT NULL,
	"token_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"code_digest" text NOT NULL,
	"code_expires_at" timestamp with time zone NOT NULL,
	"session_digest" text,
	"session_expires_at" timestamp with time zone,
	CONSTRAINT "sign_ins_code_digest_unique" UNIQUE("code_digest"),
	CONSTRAINT "sign_ins_session_digest_unique" UNIQUE("session_digest")
);
--> statement-breakpoint
ALTER TABLE "freshet"."sign_ins" ADD CONSTRAINT "sign_ins_token_id_api_tokens_id_fk" FOREIGN KEY ("token_id") REFERENCES "freshet"."api_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "sign_ins_token_id_idx" ON "freshet"."sign_ins" USING btree ("token_id");--> statement-breakpoint
CREATE INDEX "sign_ins_code_expires_at_idx" ON "freshet"."sign_ins" USING btree ("code_expires_at");