/*
description: >-
  The unresolved tickets at the end of each day of the account. Spam, deleted and merged tickets do
  not count. The row of the present day shows the last refresh. The earlier states of tickets without
  activities and history are estimated from the current row and `stats`.
grain: one row for each day, group, priority and status with unresolved tickets
materialized: view
key: [day, group_id, priority, status]
columns:
  day: {type: date, description: Day in the time zone of the account., not_null: true}
  group_id:
    type: bigint
    description: >-
      Group of the tickets at the end of the day, or null if they had none.
  priority: {type: bigint, description: Priority of the tickets at the end of the day.}
  status:
    type: bigint
    description: >-
      Status of the tickets at the end of the day, or null if it is not known.
  open_tickets: {type: bigint, description: Number of unresolved tickets., not_null: true}
  age_days_mean:
    type: numeric
    description: >-
      Mean age of these tickets in days, rounded to two decimals. The age is the number of
      days since the day of the creation.
  older_than_1_day: {type: bigint, description: Number of these tickets whose age exceeds 1 day.}
  older_than_7_days: {type: bigint, description: Number of these tickets whose age exceeds 7 days.}
  older_than_30_days:
    type: bigint
    description: >-
      Number of these tickets whose age exceeds 30 days.
*/
select
  b.day::date as day,
  b.group_id::bigint as group_id,
  b.priority::bigint as priority,
  b.status::bigint as status,
  sum(b.open_tickets)::bigint as open_tickets,
  round(sum(b.age_days) / sum(b.open_tickets), 2)::numeric as age_days_mean,
  sum(b.older_than_1_day)::bigint as older_than_1_day,
  sum(b.older_than_7_days)::bigint as older_than_7_days,
  sum(b.older_than_30_days)::bigint as older_than_30_days
from {{ ref('backlog_days') }} b
group by b.day, b.group_id, b.priority, b.status
