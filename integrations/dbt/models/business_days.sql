/*
description: >-
  The open intervals of each calendar, cut at midnight UTC. The open time until any instant follows
  from one row, which a hash join finds faster than an index lookup in business_intervals. A day with
  more than two intervals is rare, and is looked up in business_intervals instead.
grain: one row for each calendar and day in UTC
materialized: table
calendar: true
internal: true
key: [schedule_id, day]
columns:
  schedule_id: {type: bigint, description: Calendar of business hours.}
  day: {type: date, description: Day in UTC.}
  open_time_before:
    type: interval
    description: >-
      Open time of the calendar from the first interval until the start of the day.
  intervals: {type: integer, description: Number of open intervals on the day.}
  opens_1:
    type: timestamptz
    description: >-
      Start of the first interval, or the start of the day if there is none.
  closes_1:
    type: timestamptz
    description: >-
      End of the first interval, or the start of the day if there is none.
  opens_2:
    type: timestamptz
    description: >-
      Start of the second interval, or the start of the day if there is none.
  closes_2:
    type: timestamptz
    description: >-
      End of the second interval, or the start of the day if there is none.
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
-- In UTC, a day of a calendar can begin on the day before, or end on the day after.
days as (
  select s.schedule_id, b.first_day + n as day, (b.first_day + n)::timestamp at time zone 'UTC' as starts_at
  from bounds b
  cross join lateral generate_series(-1, b.last_day - b.first_day + 2) n
  cross join (select distinct v.schedule_id from {{ ref('schedule_versions') }} v) s
),
pieces as (
  select
    i.schedule_id, p.day,
    greatest(i.opens_at, p.day::timestamp at time zone 'UTC') as opens_at,
    least(i.closes_at, (p.day + 1)::timestamp at time zone 'UTC') as closes_at
  from {{ ref('business_intervals') }} i
  cross join lateral (
    select (i.opens_at at time zone 'UTC')::date + n as day
    from generate_series(0, (i.closes_at at time zone 'UTC')::date - (i.opens_at at time zone 'UTC')::date) n
  ) p
),
sums as (
  select
    p.schedule_id, p.day,
    count(*) as intervals,
    sum(p.closes_at - p.opens_at) as open_time,
    array_agg(p.opens_at order by p.opens_at) as opens,
    array_agg(p.closes_at order by p.opens_at) as closes
  from pieces p
  where p.opens_at < p.closes_at
  group by p.schedule_id, p.day
)
select
  d.schedule_id::bigint as schedule_id,
  d.day::date as day,
  coalesce(
    sum(s.open_time) over (partition by d.schedule_id order by d.day rows between unbounded preceding and 1 preceding),
    interval '0'
  )::interval as open_time_before,
  coalesce(s.intervals, 0)::integer as intervals,
  coalesce(s.opens[1], d.starts_at)::timestamptz as opens_1,
  coalesce(s.closes[1], d.starts_at)::timestamptz as closes_1,
  coalesce(s.opens[2], d.starts_at)::timestamptz as opens_2,
  coalesce(s.closes[2], d.starts_at)::timestamptz as closes_2
from days d
left join sums s on s.schedule_id = d.schedule_id and s.day = d.day
