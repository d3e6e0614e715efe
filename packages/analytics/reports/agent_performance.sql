/*
title: Agent performance
description: >-
  The work of agents in the range. Responses and notes count for their author, and changes of the
  status count for the agent to whom the ticket was assigned at that time.
group_by: [agent, day, week, month, total]
columns:
  assigned: {type: bigint, description: Number of assignments of tickets.}
  responses: {type: bigint, description: Number of agent responses.}
  notes: {type: bigint, description: Number of private notes.}
  resolved: {type: bigint, description: Number of changes to a resolved status.}
  reopened: {type: bigint, description: Number of changes from a resolved status to another status.}
  response_minutes_median:
    type: numeric
    description: >-
      Median minutes that customers waited for a response.
  response_minutes_business_median:
    type: numeric
    description: >-
      Median business minutes that customers waited for a response.
  minutes_tracked: {type: numeric, description: Minutes of time entries.}
  csat_ratings: {type: bigint, description: Number of ratings.}
  csat_percent:
    type: numeric
    description: >-
      Percentage of positive ratings, rounded to two decimals.
*/
with work as (
  select p.started_at as at, p.agent_id, 'change' as kind, p.is_assignment, p.is_resolution, p.is_reopening,
    null::numeric as minutes, null::numeric as business_minutes, null::integer as score
  from {{ ref('ticket_status_periods') }} p
  where p.is_counted and (p.is_assignment or p.is_resolution or p.is_reopening) and {{ is_in_range('p.started_at') }}
  union all
  select r.responded_at, r.agent_id, 'response', false, false, false, r.minutes, r.business_minutes, null
  from {{ ref('responses') }} r
  where r.is_counted and {{ is_in_range('r.responded_at') }}
  union all
  select n.created_at, n.author_id, 'note', false, false, false, null, null, null
  from {{ ref('ticket_messages') }} n
  join {{ ref('ticket_metrics') }} m on m.ticket_id = n.ticket_id and m.is_counted
  where n.kind = 'note' and {{ is_in_range('n.created_at') }}
  union all
  select e.executed_at, e.agent_id, 'time entry', false, false, false, e.minutes, null, null
  from {{ ref('ticket_time_entries') }} e
  join {{ ref('ticket_metrics') }} m on m.ticket_id = e.ticket_id and m.is_counted
  where {{ is_in_range('e.executed_at') }}
  union all
  select r.rated_at, r.agent_id, 'rating', false, false, false, null, null, r.score
  from {{ ref('ticket_ratings') }} r
  join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id and m.is_counted
  where r.score is not null and {{ is_in_range('r.rated_at') }}
)
select
  {{ group_key('w.at', 'null', 'w.agent_id') }} as "group",
  count(*) filter (where w.is_assignment) as assigned,
  count(*) filter (where w.kind = 'response') as responses,
  count(*) filter (where w.kind = 'note') as notes,
  count(*) filter (where w.is_resolution) as resolved,
  count(*) filter (where w.is_reopening) as reopened,
  round(
    (percentile_cont(0.5) within group (order by w.minutes) filter (where w.kind = 'response'))::numeric, 4
  ) as response_minutes_median,
  round(
    (percentile_cont(0.5) within group (order by w.business_minutes) filter (where w.kind = 'response'))::numeric, 4
  ) as response_minutes_business_median,
  coalesce(sum(w.minutes) filter (where w.kind = 'time entry'), 0) as minutes_tracked,
  count(*) filter (where w.kind = 'rating') as csat_ratings,
  round(100.0 * count(*) filter (where w.score > 0) / nullif(count(*) filter (where w.kind = 'rating'), 0), 2)
    as csat_percent
from work w
where w.agent_id is not null
group by 1
