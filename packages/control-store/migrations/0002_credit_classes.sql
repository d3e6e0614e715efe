ALTER TABLE "freshet"."credit_buckets" ADD COLUMN "counts_calls" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."credit_buckets" ADD COLUMN "used_by_class" numeric[] DEFAULT '{0,0,0,0,0}' NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."credit_buckets" ADD COLUMN "wanted_until" timestamp with time zone[] DEFAULT array_fill(null::timestamptz, array[5]) NOT NULL;--> statement-breakpoint
ALTER TABLE "freshet"."object_runs" ADD COLUMN "credit_class" text DEFAULT 'incremental' NOT NULL;
--> statement-breakpoint
DROP FUNCTION freshet.take_credits(text, text[], numeric, numeric);
--> statement-breakpoint
-- Takes credits from all of the buckets, or from none of them.
-- Returns 0 when they were taken, else the milliseconds to wait before there may be some.
-- p_class counts from 0, the most urgent. A class that was refused is remembered, and lower ones leave the bucket to it
-- until it has had what it wants: for 2 seconds after each call of it, and for 5 from the beginning of the window it waits for.
-- The buckets are locked in the order of their names, so that two callers never wait for each other.
CREATE FUNCTION freshet.take_credits(p_account text, p_buckets text[], p_credits numeric, p_share_percent numeric, p_class integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  b freshet.credit_buckets;
  t timestamptz := clock_timestamp();
  cost numeric;
  allowance numeric;
  free_at timestamptz;
  refused_until timestamptz;
BEGIN
  INSERT INTO freshet.credit_buckets (account, bucket)
  SELECT p_account, name FROM unnest(p_buckets) AS name ORDER BY name
  ON CONFLICT DO NOTHING;
  FOR b IN
    SELECT * FROM freshet.credit_buckets WHERE account = p_account AND bucket = ANY (p_buckets) ORDER BY bucket FOR UPDATE
  LOOP
    free_at := b.blocked_until;
    IF NOT b.unlimited THEN
      -- greatest() passes over nulls.
      SELECT greatest(free_at, max(w)) INTO free_at FROM unnest(b.wanted_until[1:p_class]) AS w;
      IF b.window_ends_at > t THEN
        cost := CASE WHEN b.counts_calls THEN 1 ELSE p_credits END;
        -- Until an answer has told the limit, no more calls than the smallest plan could bear by half.
        allowance := greatest(floor(coalesce(b.total, 25) * p_share_percent / 100), cost);
        IF b.used + cost > allowance THEN
          free_at := greatest(free_at, b.window_ends_at);
        -- Backfill and audit leave a tenth to what may yet come in this window, until it is nearly over.
        ELSIF p_class >= 3 AND b.window_ends_at - t > interval '15 seconds' AND b.used + cost > greatest(floor(allowance * 0.9), cost) THEN
          free_at := greatest(free_at, b.window_ends_at - interval '15 seconds');
        END IF;
      END IF;
    END IF;
    IF free_at > t THEN
      refused_until := greatest(refused_until, free_at);
      UPDATE freshet.credit_buckets SET wanted_until[p_class + 1] = free_at + interval '5 seconds' WHERE account = p_account AND bucket = b.bucket;
    END IF;
  END LOOP;
  IF refused_until IS NOT NULL THEN
    RETURN greatest(1, ceil(extract(epoch FROM refused_until - t) * 1000)::integer);
  END IF;
  FOR b IN SELECT * FROM freshet.credit_buckets WHERE account = p_account AND bucket = ANY (p_buckets) LOOP
    cost := CASE WHEN b.counts_calls THEN 1 ELSE p_credits END;
    IF b.window_ends_at <= t THEN
      b.used := 0;
      b.used_by_class := array_fill(0::numeric, array[5]);
      -- The account's window begins when our call arrives there, after it was counted here; its answer makes this exact.
      b.window_ends_at := t + interval '61 seconds';
    END IF;
    b.used_by_class[p_class + 1] := b.used_by_class[p_class + 1] + cost;
    b.wanted_until[p_class + 1] := CASE WHEN b.wanted_until[p_class + 1] > t THEN t + interval '2 seconds' END;
    UPDATE freshet.credit_buckets
    SET used = b.used + cost, window_ends_at = b.window_ends_at, used_by_class = b.used_by_class, wanted_until = b.wanted_until
    WHERE account = p_account AND bucket = b.bucket;
  END LOOP;
  RETURN 0;
END
$$;
--> statement-breakpoint
-- Corrects our count of a bucket by what an answer told: others spend credits as well, limits change, windows begin.
-- p_used is what this one call cost.
CREATE FUNCTION freshet.learn_credits(p_account text, p_bucket text, p_total numeric, p_remaining numeric, p_used numeric)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  b freshet.credit_buckets;
  t timestamptz := clock_timestamp();
  spent numeric := p_total - p_remaining;
BEGIN
  PERFORM FROM freshet.credit_buckets WHERE account = p_account AND bucket IN ('account', p_bucket) ORDER BY bucket FOR UPDATE;
  SELECT * INTO b FROM freshet.credit_buckets WHERE account = p_account AND bucket = p_bucket;
  b.unlimited := false;
  b.total := coalesce(p_total, b.total);
  -- This call alone would have spent more if the bucket counted credits.
  IF p_used > 1 AND spent BETWEEN 1 AND p_used - 1 AND NOT b.counts_calls THEN
    b.counts_calls := true;
    b.used := spent;
  END IF;
  b.used := greatest(b.used, spent);
  -- The first call of a window at their side: the window ends 60 seconds after it at the latest.
  IF spent <= (CASE WHEN b.counts_calls THEN 1 ELSE p_used END) THEN
    -- Unless ours has just begun as well, ours is the one before.
    IF b.window_ends_at < t + interval '55 seconds' THEN
      b.used := spent;
      b.used_by_class := array_fill(0::numeric, array[5]);
      b.window_ends_at := t + interval '60100 milliseconds';
    END IF;
    b.window_ends_at := least(b.window_ends_at, t + interval '60100 milliseconds');
  END IF;
  UPDATE freshet.credit_buckets
  SET unlimited = b.unlimited, total = b.total, counts_calls = b.counts_calls, used = b.used, used_by_class = b.used_by_class, window_ends_at = b.window_ends_at
  WHERE account = p_account AND bucket = p_bucket;
  -- Answers describe the tighter bucket of a call. With the account's own limit, it may be the account's.
  IF p_bucket <> 'account' THEN
    UPDATE freshet.credit_buckets SET used = greatest(used, spent) WHERE account = p_account AND bucket = 'account' AND total = p_total;
  END IF;
END
$$;
