-- How much work waits, for whoever scales workers by it: queues are another's tables (pg-boss'), which may change, and come after these.
CREATE FUNCTION freshet.queue_backlog() RETURNS TABLE (queue text, ready integer, deferred integer, active integer, oldest_seconds double precision)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT j.name, (count(*) FILTER (WHERE j.state < 'active' AND j.start_after <= now()))::int,
      (count(*) FILTER (WHERE j.state < 'active' AND j.start_after > now()))::int, (count(*) FILTER (WHERE j.state = 'active'))::int,
      coalesce(extract(epoch FROM now() - min(j.start_after) FILTER (WHERE j.state < 'active' AND j.start_after <= now())), 0)::float8
    FROM pgboss.job j WHERE j.state <= 'active' GROUP BY j.name;
END $$;--> statement-breakpoint
CREATE VIEW freshet.backlog AS SELECT * FROM freshet.queue_backlog();--> statement-breakpoint
COMMENT ON VIEW freshet.backlog IS 'Jobs by queue: ready (could be worked on now), deferred (wait for their time), active; and how long the oldest of those that are ready has been, in seconds.';
