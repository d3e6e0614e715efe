-- Batches are compressed already; the credits' rows are updated for every call, so their pages keep room for it.
ALTER TABLE freshet.batches ALTER COLUMN body SET STORAGE EXTERNAL;
--> statement-breakpoint
ALTER TABLE freshet.credit_buckets SET (fillfactor = 50);
--> statement-breakpoint
-- Takes credits from all of the buckets, or from none of them.
-- Returns 0 when they were taken, else the milliseconds to wait before there may be some.
-- The buckets are locked in the order of their names, so that two callers never wait for each other.
CREATE FUNCTION freshet.take_credits(p_account text, p_buckets text[], p_credits numeric, p_share_percent numeric)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  b freshet.credit_buckets;
  t timestamptz := clock_timestamp();
  waits integer := 0;
  allowance numeric;
BEGIN
  INSERT INTO freshet.credit_buckets (account, bucket)
  SELECT p_account, name FROM unnest(p_buckets) AS name ORDER BY name
  ON CONFLICT DO NOTHING;
  FOR b IN
    SELECT * FROM freshet.credit_buckets WHERE account = p_account AND bucket = ANY (p_buckets) ORDER BY bucket FOR UPDATE
  LOOP
    IF b.blocked_until > t THEN
      waits := greatest(waits, ceil(extract(epoch FROM b.blocked_until - t) * 1000)::integer);
    END IF;
    CONTINUE WHEN b.unlimited OR b.window_ends_at <= t;
    -- Until an answer has told the limit, no more calls than the smallest plan could bear by half.
    allowance := greatest(floor(coalesce(b.total, 25) * p_share_percent / 100), p_credits);
    IF b.used + p_credits > allowance THEN
      waits := greatest(waits, ceil(extract(epoch FROM b.window_ends_at - t) * 1000)::integer);
    END IF;
  END LOOP;
  IF waits > 0 THEN
    RETURN waits;
  END IF;
  UPDATE freshet.credit_buckets SET
    used = CASE WHEN window_ends_at <= t THEN p_credits ELSE used + p_credits END,
    -- The account's window begins when our call arrives there, a moment after it was counted here: one second of margin.
    window_ends_at = CASE WHEN window_ends_at <= t THEN t + interval '61 seconds' ELSE window_ends_at END
  WHERE account = p_account AND bucket = ANY (p_buckets);
  RETURN 0;
END
$$;
