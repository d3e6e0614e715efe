/*
description: >-
  The work of each agent on each day of the account. Spam, deleted and merged tickets do not count. An
  event counts for the agent to whom the ticket was assigned at that time. Responses and notes count
  for their author.
grain: one row for each agent and day
materialized: incremental
refresh: day
key: [day, agent_id]
columns:
  day: {type: date, description: Day in the time zone of the account., not_null: true}
  agent_id: {type: bigint, description: Agent., not_null: true}
  assigned:
    type: bigint
    description: >-
      Number of assignments of tickets to the agent, including tickets that were created as
      assigned.
  responses: {type: bigint, description: Number of agent responses.}
  notes: {type: bigint, description: Number of private notes.}
  resolved:
    type: bigint
    description: >-
      Number of changes to a resolved status of the agent's tickets.
  reopened:
    type: bigint
    description: >-
      Number of changes from a resolved status to another status of the agent's tickets.
  first_responses: {type: bigint, description: Number of first responses.}
  first_response_minutes_mean:
    type: numeric
    description: >-
      Mean minutes from the creation of the ticket to these first responses.
  response_minutes_median:
    type: numeric
    description: >-
      Median minutes that customers waited for the agent's responses, without responses for
      which no customer waited.
  response_minutes_mean: {type: numeric, description: Mean of the same durations.}
  response_minutes_business_median:
    type: numeric
    description: >-
      Median of the same durations, in business time.
  response_minutes_business_mean:
    type: numeric
    description: >-
      Mean of the same durations, in business time.
  minutes_tracked: {type: numeric, description: Minutes of time entries.}
  csat_ratings: {type: bigint, description: Number of ratings with a known score.}
  csat_positive: {type: bigint, description: Number of ratings with a score greater than zero.}
  csat_percent:
    type: numeric
    description: >-
      Percentage of positive ratings, rounded to two decimals.
*/
with changes as (
  select
    p.started_day as day, p.agent_id,
    count(*) filter (where p.is_assignment) as assigned,
    count(*) filter (where p.is_resolution) as resolved,
    count(*) filter (where p.is_reopening) as reopened
  from {{ ref('ticket_status_periods') }} p
  where p.is_counted and p.agent_id is not null and (p.is_assignment or p.is_resolution or p.is_reopening)
    and {{ changed_days('p.started_day') }}
  group by p.started_day, p.agent_id
),
answers as (
  select
    r.day, r.agent_id,
    count(*) as responses,
    count(*) filter (where r.is_first) as first_responses,
    avg(r.minutes) filter (where r.is_first) as first_mean,
    percentile_cont(0.5) within group (order by r.minutes) as median,
    avg(r.minutes) as mean,
    percentile_cont(0.5) within group (order by r.business_minutes) as business_median,
    avg(r.business_minutes) as business_mean
  from {{ ref('responses') }} r
  where r.is_counted and r.agent_id is not null and {{ changed_days('r.day') }}
  group by r.day, r.agent_id
),
notes as (
  select n.day, n.author_id as agent_id, count(*) as notes
  from {{ ref('ticket_messages') }} n
  join {{ ref('ticket_metrics') }} m on m.ticket_id = n.ticket_id and m.is_counted
  where n.kind = 'note' and n.author_id is not null and {{ changed_days('n.day') }}
  group by n.day, n.author_id
),
tracked as (
  select e.day, e.agent_id, sum(e.minutes) as minutes
  from {{ ref('ticket_time_entries') }} e
  join {{ ref('ticket_metrics') }} m on m.ticket_id = e.ticket_id and m.is_counted
  where e.agent_id is not null and {{ changed_days('e.day') }}
  group by e.day, e.agent_id
),
ratings as (
  select
    r.day, r.agent_id,
    count(*) as csat_ratings,
    count(*) filter (where r.score > 0) as csat_positive
  from {{ ref('ticket_ratings') }} r
  join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id and m.is_counted
  where r.score is not null and r.agent_id is not null and {{ changed_days('r.day') }}
  group by r.day, r.agent_id
),
keys as (
  select day, agent_id from changes
  union
  select day, agent_id from answers
  union
  select day, agent_id from notes
  union
  select day, agent_id from tracked
  union
  select day, agent_id from ratings
)
select
  k.day::date as day,
  k.agent_id::bigint as agent_id,
  coalesce(c.assigned, 0)::bigint as assigned,
  coalesce(a.responses, 0)::bigint as responses,
  coalesce(n.notes, 0)::bigint as notes,
  coalesce(c.resolved, 0)::bigint as resolved,
  coalesce(c.reopened, 0)::bigint as reopened,
  coalesce(a.first_responses, 0)::bigint as first_responses,
  round(a.first_mean, 4)::numeric as first_response_minutes_mean,
  round(a.median::numeric, 4)::numeric as response_minutes_median,
  round(a.mean, 4)::numeric as response_minutes_mean,
  round(a.business_median::numeric, 4)::numeric as response_minutes_business_median,
  round(a.business_mean, 4)::numeric as response_minutes_business_mean,
  coalesce(t.minutes, 0)::numeric as minutes_tracked,
  coalesce(r.csat_ratings, 0)::bigint as csat_ratings,
  coalesce(r.csat_positive, 0)::bigint as csat_positive,
  round(100.0 * r.csat_positive / nullif(r.csat_ratings, 0), 2)::numeric as csat_percent
from keys k
left join changes c on c.day = k.day and c.agent_id = k.agent_id
left join answers a on a.day = k.day and a.agent_id = k.agent_id
left join notes n on n.day = k.day and n.agent_id = k.agent_id
left join tracked t on t.day = k.day and t.agent_id = k.agent_id
left join ratings r on r.day = k.day and r.agent_id = k.agent_id
