/*
title: Summary
description: >-
  The main measures of support in the range, with one row for the range, an interval, a group, an
  agent or a channel. The definitions are those of the reports tickets_created_resolved,
  first_response_time, resolution_time, sla and csat. Spam, deleted and merged tickets do not count.
group_by: [total, day, week, month, group, agent, source, company, priority, tag]
columns:
  created: {type: bigint, description: Number of tickets that were created.}
  resolved: {type: bigint, description: Number of changes to a resolved status.}
  first_response_minutes_median:
    type: numeric
    description: >-
      Median minutes from the creation of a ticket to its first agent response, for the tickets whose
      first response is in the range.
  first_response_minutes_p90: {type: numeric, description: 90th percentile of these minutes.}
  first_response_business_minutes_median:
    type: numeric
    description: >-
      Median business minutes from the creation of a ticket to its first agent response, for the
      tickets whose first response is in the range.
  first_response_business_minutes_p90:
    type: numeric
    description: >-
      90th percentile of these business minutes.
  resolution_minutes_median:
    type: numeric
    description: >-
      Median minutes from the creation of a ticket to its last resolution, for the resolved tickets
      whose last resolution is in the range.
  resolution_minutes_p90: {type: numeric, description: 90th percentile of these minutes.}
  resolution_business_minutes_median:
    type: numeric
    description: >-
      Median business minutes from the creation of a ticket to its last resolution, for the resolved
      tickets whose last resolution is in the range.
  resolution_business_minutes_p90: {type: numeric, description: 90th percentile of these business minutes.}
  first_response_sla_percent:
    type: numeric
    description: >-
      Percentage of the first responses that became due in the range and were in time, rounded to two
      decimals.
  resolution_sla_percent:
    type: numeric
    description: >-
      Percentage of the resolutions that became due in the range and were in time, rounded to two
      decimals. Tickets that are overdue count as not in time.
  csat_ratings: {type: bigint, description: Number of ratings.}
  csat_percent:
    type: numeric
    description: >-
      Percentage of the ratings in the range that are positive, rounded to two decimals.
  minutes_tracked:
    type: numeric
    description: >-
      Minutes of time entries, or null if there are none.
*/
with facts as (
  select
    {{ group_key('p.started_at', 'p.group_id', 'p.agent_id') }} as "group",
    'change' as kind, p.is_creation, p.is_resolution,
    null::numeric as minutes, null::numeric as business_minutes, null::boolean as is_good
  from {{ ref('ticket_status_periods') }} p
  join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id
  {{ tag_join('p.ticket_id') }}
  where p.is_counted and (p.is_creation or p.is_resolution) and {{ is_in_range('p.started_at') }}
  union all
  select
    {{ group_key('m.first_responded_at', 'm.first_response_group_id', 'm.agent_id') }},
    'first response', false, false, m.first_response_minutes, m.first_response_minutes_business, null
  from {{ ref('ticket_metrics') }} m
  {{ tag_join('m.ticket_id') }}
  where m.is_counted and {{ is_in_range('m.first_responded_at') }}
  union all
  select
    {{ group_key('m.resolved_at', 'm.group_id', 'm.agent_id') }},
    'resolution', false, false, m.full_resolution_minutes, m.full_resolution_minutes_business, null
  from {{ ref('ticket_metrics') }} m
  {{ tag_join('m.ticket_id') }}
  where m.is_counted and {{ is_in_range('m.resolved_at') }}
  union all
  select
    {{ group_key('s.due_at', 'm.group_id', 'm.agent_id') }},
    'target: ' || s.kind, false, false, null, null, s.state = 'met'
  from {{ ref('sla_targets') }} s
  join {{ ref('ticket_metrics') }} m on m.ticket_id = s.ticket_id
  {{ tag_join('m.ticket_id') }}
  where s.kind in ('first_response', 'resolution') and s.state in ('met', 'missed', 'overdue')
    and {{ is_in_range('s.due_at') }}
  union all
  select
    {{ group_key('r.rated_at', 'r.group_id', 'r.agent_id') }},
    'rating', false, false, null, null, r.score > 0
  from {{ ref('ticket_ratings') }} r
  join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id
  {{ tag_join('r.ticket_id') }}
  where m.is_counted and r.score is not null and {{ is_in_range('r.rated_at') }}
  union all
  select
    {{ group_key('e.executed_at', 'm.group_id', 'e.agent_id') }},
    'time entry', false, false, e.minutes, null, null
  from {{ ref('ticket_time_entries') }} e
  join {{ ref('ticket_metrics') }} m on m.ticket_id = e.ticket_id and m.is_counted
  {{ tag_join('e.ticket_id') }}
  where {{ is_in_range('e.executed_at') }}
),
statistics as (
  select
    f."group",
    count(*) filter (where f.is_creation) as created,
    count(*) filter (where f.is_resolution) as resolved,
    percentile_cont(array[0.5, 0.9]) within group (order by f.minutes)
      filter (where f.kind = 'first response') as first_response,
    percentile_cont(array[0.5, 0.9]) within group (order by f.business_minutes)
      filter (where f.kind = 'first response') as first_response_business,
    percentile_cont(array[0.5, 0.9]) within group (order by f.minutes)
      filter (where f.kind = 'resolution') as resolution,
    percentile_cont(array[0.5, 0.9]) within group (order by f.business_minutes)
      filter (where f.kind = 'resolution') as resolution_business,
    100 * avg(f.is_good::integer) filter (where f.kind = 'target: first_response') as first_response_sla_percent,
    100 * avg(f.is_good::integer) filter (where f.kind = 'target: resolution') as resolution_sla_percent,
    count(*) filter (where f.kind = 'rating') as csat_ratings,
    100 * avg(f.is_good::integer) filter (where f.kind = 'rating') as csat_percent,
    sum(f.minutes) filter (where f.kind = 'time entry') as minutes_tracked
  from facts f
  group by f."group"
)
select
  s."group",
  s.created,
  s.resolved,
  round(s.first_response[1]::numeric, 4) as first_response_minutes_median,
  round(s.first_response[2]::numeric, 4) as first_response_minutes_p90,
  round(s.first_response_business[1]::numeric, 4) as first_response_business_minutes_median,
  round(s.first_response_business[2]::numeric, 4) as first_response_business_minutes_p90,
  round(s.resolution[1]::numeric, 4) as resolution_minutes_median,
  round(s.resolution[2]::numeric, 4) as resolution_minutes_p90,
  round(s.resolution_business[1]::numeric, 4) as resolution_business_minutes_median,
  round(s.resolution_business[2]::numeric, 4) as resolution_business_minutes_p90,
  round(s.first_response_sla_percent, 2) as first_response_sla_percent,
  round(s.resolution_sla_percent, 2) as resolution_sla_percent,
  s.csat_ratings,
  round(s.csat_percent, 2) as csat_percent,
  s.minutes_tracked
from statistics s
