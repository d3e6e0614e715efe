/*
description: >-
  The unresolved tickets at the end of each day, by everything that the backlog can be grouped by.
  Spam, deleted and merged tickets do not count. The row of the present day shows the last refresh.
grain: one row for each day, group, priority, status and source with unresolved tickets
materialized: incremental
refresh: day
internal: true
key: [day, group_id, priority, status, source]
columns:
  day: {type: date, description: Day in the time zone of the account.}
  group_id:
    type: bigint
    description: >-
      Group of the tickets at the end of the day, or null if they had none.
  priority: {type: bigint, description: Priority of the tickets at the end of the day.}
  status:
    type: bigint
    description: >-
      Status of the tickets at the end of the day, or null if it is not known.
  source: {type: bigint, description: Channel through which the tickets were created.}
  open_tickets: {type: bigint, description: Number of unresolved tickets.}
  age_days:
    type: bigint
    description: >-
      Sum of the ages of these tickets. The age of a ticket is the number of days since the
      day of its creation.
  older_than_1_day: {type: bigint, description: Number of these tickets whose age exceeds 1 day.}
  older_than_7_days: {type: bigint, description: Number of these tickets whose age exceeds 7 days.}
  older_than_30_days:
    type: bigint
    description: >-
      Number of these tickets whose age exceeds 30 days.
*/
select
  d.day::date as day,
  p.group_id::bigint as group_id,
  p.priority::bigint as priority,
  p.status::bigint as status,
  p.source::bigint as source,
  count(*)::bigint as open_tickets,
  sum(d.day - p.created_day)::bigint as age_days,
  count(*) filter (where d.day - p.created_day > 1)::bigint as older_than_1_day,
  count(*) filter (where d.day - p.created_day > 7)::bigint as older_than_7_days,
  count(*) filter (where d.day - p.created_day > 30)::bigint as older_than_30_days
from {{ ref('ticket_status_periods') }} p
join {{ ref('account_days') }} d on d.day >= p.started_day and d.day < p.ended_day
where p.is_counted and not p.is_resolved and p.ended_day > p.started_day
  and {{ overlaps_changed_days('p.started_day', 'p.ended_day') }} and {{ changed_days('d.day') }}
group by d.day, p.group_id, p.priority, p.status, p.source
