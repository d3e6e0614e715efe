/*
description: >-
  The open intervals of each calendar of business hours. An interval is computed in the local time of
  the calendar, so a day with a change of the clock has the correct instants. A local time that the
  change of the clock skips is read with the offset before the change. A local time that occurs twice
  is read as the second occurrence. An interval that ends at or before its start ends on the next
  day. Holidays are removed, and adjacent or overlapping intervals are joined. The intervals reach
  from the year of the oldest ticket until the end of the next year.
grain: one row for each calendar and open interval
materialized: table
calendar: true
key: [schedule_id, opens_at]
columns:
  schedule_id:
    type: bigint
    description: Calendar of business hours.
  opens_at:
    type: timestamptz
    description: Start of the interval.
  closes_at:
    type: timestamptz
    description: End of the interval.
  minutes_before:
    type: numeric
    description: >-
      Open minutes of the calendar from the first interval until opens_at, rounded to four
      decimals.
  open_time_before:
    type: interval
    description: The same duration as minutes_before, without rounding.
*/
with bounds as (
  select
    coalesce(
      {{ var('first_day') }}::date,
      (select date_trunc('year', min(coalesce(t.created_at, t.updated_at)))::date from {{ source_table('tickets') }} t),
      date_trunc('year', now())::date
    ) - 2 as first_day,
    (date_trunc('year', now()) + interval '2 years')::date as last_day
),
weekdays as (
  select
    v.schedule_id, v.valid_from, v.valid_to, v.time_zone, v.holidays,
    array_position(
      array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'], lower(e.key)
    ) as weekday,
    lower(trim(e.value ->> 'start_time')) as start_text,
    lower(trim(e.value ->> 'end_time')) as end_text
  from {{ ref('schedule_versions') }} v
  cross join lateral jsonb_each(case when jsonb_typeof(v.hours) = 'object' then v.hours else '{}' end) e
  where jsonb_typeof(e.value) = 'object'
),
-- A time is written as `8:00 am` or `08:00:00 am`, and rarely on a 24-hour clock.
times as (
  select
    w.*, w.start_text::time as start_time, w.end_text::time as end_time
  from weekdays w
  where w.weekday is not null
    and {{ is_clock_time('w.start_text') }} and {{ is_clock_time('w.end_text') }}
),
shifts as (
  select t.schedule_id, tstzrange(i.opens_at, i.closes_at) * tstzrange(t.valid_from, t.valid_to) as open_range
  from times t
  cross join bounds b
  cross join lateral (
    select (b.first_day + n)::date as day from generate_series(0, b.last_day - b.first_day) n
  ) d
  cross join lateral (
    select
      (d.day + t.start_time) at time zone t.time_zone as opens_at,
      (d.day + case when t.end_time > t.start_time then 0 else 1 end + t.end_time) at time zone t.time_zone as closes_at
  ) i
  where extract(isodow from d.day) = t.weekday and i.opens_at < i.closes_at
),
holidays as (
  select
    v.schedule_id,
    range_agg(
      tstzrange(h.day::timestamp at time zone v.time_zone, (h.day + 1)::timestamp at time zone v.time_zone)
      * tstzrange(v.valid_from, v.valid_to)
    ) as closed
  from {{ ref('schedule_versions') }} v
  cross join lateral unnest(v.holidays) h (day)
  group by v.schedule_id
),
open_ranges as (
  select s.schedule_id, range_agg(s.open_range) as open
  from shifts s
  where not isempty(s.open_range)
  group by s.schedule_id
),
intervals as (
  select o.schedule_id, lower(r.part) as opens_at, upper(r.part) as closes_at
  from open_ranges o
  left join holidays h on h.schedule_id = o.schedule_id
  cross join lateral unnest(case when h.closed is null then o.open else o.open - h.closed end) r (part)
),
sums as (
  select
    i.*,
    coalesce(
      sum(i.closes_at - i.opens_at) over (
        partition by i.schedule_id order by i.opens_at rows between unbounded preceding and 1 preceding
      ),
      interval '0'
    ) as open_time_before
  from intervals i
)
select
  s.schedule_id::bigint as schedule_id,
  s.opens_at::timestamptz as opens_at,
  s.closes_at::timestamptz as closes_at,
  {{ minutes_of('s.open_time_before') }}::numeric as minutes_before,
  s.open_time_before::interval as open_time_before
from sums s
