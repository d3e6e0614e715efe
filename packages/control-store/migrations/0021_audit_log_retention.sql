-- The audit log is only ever added to; entries of more than a year ago may go, by retention that says that it is that.
CREATE FUNCTION "freshet"."keep_audit_log"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD."at" < now() - interval '365 days' AND current_setting('freshet.retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'The audit log is only ever added to.' USING ERRCODE = 'insufficient_privilege';
END $$;--> statement-breakpoint
CREATE TRIGGER "audit_log_kept" BEFORE DELETE ON "freshet"."audit_log" FOR EACH ROW EXECUTE FUNCTION "freshet"."keep_audit_log"();--> statement-breakpoint
DROP TRIGGER "audit_log_append_only" ON "freshet"."audit_log";--> statement-breakpoint
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR TRUNCATE ON "freshet"."audit_log"
  FOR EACH STATEMENT EXECUTE FUNCTION "freshet"."refuse_change"();
