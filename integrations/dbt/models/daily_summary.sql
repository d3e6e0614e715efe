/*
description: >-
  What happened on each day of the account, by group and source. Spam, deleted and merged tickets do
  not count. An event counts for the group that the ticket had at that time. For all groups and
  sources together, the number of unresolved tickets is that of the previous day, plus created, plus
  reopened, minus resolved. Without activities and history, only the last resolution of a ticket is
  known, so earlier resolutions and all reopenings are missing.
grain: one row for each day, group and source
materialized: incremental
refresh: day
key: [day, group_id, source]
columns:
  day: {type: date, description: Day in the time zone of the account., not_null: true}
  group_id: {type: bigint, description: "Group, or null for tickets without a group."}
  source: {type: bigint, description: Channel through which the tickets were created.}
  created: {type: bigint, description: Number of tickets that were created.}
  resolved: {type: bigint, description: Number of changes to a resolved status.}
  reopened: {type: bigint, description: Number of changes from a resolved status to another status.}
  unresolved: {type: bigint, description: Number of unresolved tickets at the end of the day.}
  first_responses: {type: bigint, description: Number of first agent responses.}
  first_response_minutes_median:
    type: numeric
    description: >-
      Median of first_response_minutes of the tickets with their first response on this day.
  first_response_minutes_p90: {type: numeric, description: 90th percentile of the same durations.}
  first_response_minutes_mean: {type: numeric, description: Mean of the same durations.}
  first_response_minutes_business_median:
    type: numeric
    description: >-
      Median of the same durations, in business time.
  first_response_minutes_business_p90:
    type: numeric
    description: >-
      90th percentile of the same durations, in business time.
  first_response_minutes_business_mean:
    type: numeric
    description: >-
      Mean of the same durations, in business time.
  resolutions: {type: bigint, description: Number of tickets whose last resolution was on this day.}
  resolution_minutes_median:
    type: numeric
    description: >-
      Median of full_resolution_minutes of these tickets.
  resolution_minutes_p90: {type: numeric, description: 90th percentile of the same durations.}
  resolution_minutes_mean: {type: numeric, description: Mean of the same durations.}
  resolution_minutes_business_median:
    type: numeric
    description: >-
      Median of the same durations, in business time.
  resolution_minutes_business_p90:
    type: numeric
    description: >-
      90th percentile of the same durations, in business time.
  resolution_minutes_business_mean:
    type: numeric
    description: >-
      Mean of the same durations, in business time.
  first_response_sla_met:
    type: bigint
    description: >-
      Number of first responses that were sent by their due time.
  first_response_sla_missed:
    type: bigint
    description: >-
      Number of first responses that were sent after their due time.
  resolution_sla_met: {type: bigint, description: Number of resolutions by their due time.}
  resolution_sla_missed: {type: bigint, description: Number of resolutions after their due time.}
  sla_met_percent:
    type: numeric
    description: >-
      Percentage of the first responses and resolutions with a due time that were in time,
      rounded to two decimals.
  csat_ratings: {type: bigint, description: Number of ratings with a known score.}
  csat_positive: {type: bigint, description: Number of ratings with a score greater than zero.}
  csat_percent:
    type: numeric
    description: >-
      Percentage of positive ratings, rounded to two decimals.
*/
with transitions as (
  select
    p.started_day as day, p.group_id, p.source,
    count(*) filter (where p.is_creation) as created,
    count(*) filter (where p.is_resolution) as resolved,
    count(*) filter (where p.is_reopening) as reopened
  from {{ ref('ticket_status_periods') }} p
  where p.is_counted and (p.is_creation or p.is_resolution or p.is_reopening) and {{ changed_days('p.started_day') }}
  group by p.started_day, p.group_id, p.source
),
backlog as (
  select b.day, b.group_id, b.source, sum(b.open_tickets)::bigint as unresolved
  from {{ ref('backlog_days') }} b
  where {{ changed_days('b.day') }}
  group by b.day, b.group_id, b.source
),
first_responses as (
  select
    m.first_response_day as day, m.first_response_group_id as group_id, m.source,
    count(*) as first_responses,
    percentile_cont(array[0.5, 0.9]) within group (order by m.first_response_minutes) as percentiles,
    avg(m.first_response_minutes) as mean,
    percentile_cont(array[0.5, 0.9]) within group (order by m.first_response_minutes_business) as business_percentiles,
    avg(m.first_response_minutes_business) as business_mean,
    count(*) filter (where m.is_first_response_in_time) as met,
    count(*) filter (where not m.is_first_response_in_time) as missed
  from {{ ref('ticket_metrics') }} m
  where m.is_counted and m.first_response_day is not null and {{ changed_days('m.first_response_day') }}
  group by m.first_response_day, m.first_response_group_id, m.source
),
resolutions as (
  select
    p.started_day as day, p.group_id, m.source,
    count(*) as resolutions,
    percentile_cont(array[0.5, 0.9]) within group (order by m.full_resolution_minutes) as percentiles,
    avg(m.full_resolution_minutes) as mean,
    percentile_cont(array[0.5, 0.9]) within group (order by m.full_resolution_minutes_business) as business_percentiles,
    avg(m.full_resolution_minutes_business) as business_mean,
    count(*) filter (where m.is_resolution_in_time) as met,
    count(*) filter (where not m.is_resolution_in_time) as missed
  from {{ ref('ticket_status_periods') }} p
  join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id and m.resolved_at = p.started_at
  where p.is_counted and p.is_resolution and {{ changed_days('p.started_day') }}
  group by p.started_day, p.group_id, m.source
),
ratings as (
  select
    r.day, r.group_id, m.source,
    count(*) as csat_ratings,
    count(*) filter (where r.score > 0) as csat_positive
  from {{ ref('ticket_ratings') }} r
  join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id
  where m.is_counted and r.score is not null and {{ changed_days('r.day') }}
  group by r.day, r.group_id, m.source
),
keys as (
  select day, group_id, source from transitions
  union
  select day, group_id, source from backlog
  union
  select day, group_id, source from first_responses
  union
  select day, group_id, source from resolutions
  union
  select day, group_id, source from ratings
)
select
  k.day::date as day,
  k.group_id::bigint as group_id,
  k.source::bigint as source,
  coalesce(t.created, 0)::bigint as created,
  coalesce(t.resolved, 0)::bigint as resolved,
  coalesce(t.reopened, 0)::bigint as reopened,
  coalesce(b.unresolved, 0)::bigint as unresolved,
  coalesce(f.first_responses, 0)::bigint as first_responses,
  round(f.percentiles[1]::numeric, 4)::numeric as first_response_minutes_median,
  round(f.percentiles[2]::numeric, 4)::numeric as first_response_minutes_p90,
  round(f.mean, 4)::numeric as first_response_minutes_mean,
  round(f.business_percentiles[1]::numeric, 4)::numeric as first_response_minutes_business_median,
  round(f.business_percentiles[2]::numeric, 4)::numeric as first_response_minutes_business_p90,
  round(f.business_mean, 4)::numeric as first_response_minutes_business_mean,
  coalesce(s.resolutions, 0)::bigint as resolutions,
  round(s.percentiles[1]::numeric, 4)::numeric as resolution_minutes_median,
  round(s.percentiles[2]::numeric, 4)::numeric as resolution_minutes_p90,
  round(s.mean, 4)::numeric as resolution_minutes_mean,
  round(s.business_percentiles[1]::numeric, 4)::numeric as resolution_minutes_business_median,
  round(s.business_percentiles[2]::numeric, 4)::numeric as resolution_minutes_business_p90,
  round(s.business_mean, 4)::numeric as resolution_minutes_business_mean,
  coalesce(f.met, 0)::bigint as first_response_sla_met,
  coalesce(f.missed, 0)::bigint as first_response_sla_missed,
  coalesce(s.met, 0)::bigint as resolution_sla_met,
  coalesce(s.missed, 0)::bigint as resolution_sla_missed,
  round(
    100.0 * (coalesce(f.met, 0) + coalesce(s.met, 0))
      / nullif(coalesce(f.met, 0) + coalesce(s.met, 0) + coalesce(f.missed, 0) + coalesce(s.missed, 0), 0),
    2
  )::numeric as sla_met_percent,
  coalesce(r.csat_ratings, 0)::bigint as csat_ratings,
  coalesce(r.csat_positive, 0)::bigint as csat_positive,
  round(100.0 * r.csat_positive / nullif(r.csat_ratings, 0), 2)::numeric as csat_percent
from keys k
left join transitions t
  on t.day = k.day and t.group_id is not distinct from k.group_id and t.source is not distinct from k.source
left join backlog b
  on b.day = k.day and b.group_id is not distinct from k.group_id and b.source is not distinct from k.source
left join first_responses f
  on f.day = k.day and f.group_id is not distinct from k.group_id and f.source is not distinct from k.source
left join resolutions s
  on s.day = k.day and s.group_id is not distinct from k.group_id and s.source is not distinct from k.source
left join ratings r
  on r.day = k.day and r.group_id is not distinct from k.group_id and r.source is not distinct from k.source
