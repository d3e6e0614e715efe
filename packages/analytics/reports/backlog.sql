/*
title: Backlog
description: >-
  Number of unresolved tickets at the end of each day, week or month, or by group, agent, source or
  priority at the end of the last day. A week or month ends at the end of its last day in the range.
  The present day shows the last refresh.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  open_tickets: {type: bigint, description: Number of unresolved tickets.}
  age_days_mean:
    type: numeric
    description: >-
      Mean age of these tickets in days, rounded to two decimals.
  older_than_1_day:
    type: bigint
    description: >-
      Number of these tickets that are older than 24 hours.
  older_than_7_days:
    type: bigint
    description: >-
      Number of these tickets that are older than 7 days.
  older_than_30_days:
    type: bigint
    description: >-
      Number of these tickets that are older than 30 days.
*/
with days as (
  select d.day, (d.day + 1)::timestamp at time zone {{ time_zone() }} as ends_at
  from (
    select {{ from_day() }} + n as day
    from generate_series(0, least({{ to_day() }}, (now() at time zone {{ time_zone() }})::date + 1)
      - {{ from_day() }} - 1) n
  ) d
),
last_days as (
  select max(d.day) as day, max(d.ends_at) as ends_at
  from days d
  group by {{ interval_key('d.day') }}
)
select
  {{ group_key_of_day('d.day', 'p.group_id', 'p.agent_id', 'p.priority') }} as "group",
  count(*) as open_tickets,
  round(avg(extract(epoch from d.ends_at - m.created_at) / 86400), 2) as age_days_mean,
  count(*) filter (where m.created_at < d.ends_at - interval '1 day') as older_than_1_day,
  count(*) filter (where m.created_at < d.ends_at - interval '7 days') as older_than_7_days,
  count(*) filter (where m.created_at < d.ends_at - interval '30 days') as older_than_30_days
from {{ ref('ticket_status_periods') }} p
join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id
{{ tag_join('p.ticket_id') }}
join last_days d on p.started_at < d.ends_at and (p.ended_at is null or p.ended_at >= d.ends_at)
where p.is_counted and not p.is_resolved
  and p.started_at < {{ to_time() }} and (p.ended_at is null or p.ended_at >= {{ from_time() }})
group by 1
