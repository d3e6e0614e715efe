/*
description: >-
  The periods in which a ticket had the same group, with the calendar of business hours that applies.
  The first period begins at -infinity and the last period ends at infinity, so that every time lies
  in one period.
grain: one row for each ticket and group period
materialized: incremental
refresh: ticket
internal: true
key: [ticket_id, started_at]
columns:
  ticket_id: {type: bigint, description: Ticket.}
  started_at: {type: timestamptz, description: Start of the period.}
  ended_at: {type: timestamptz, description: End of the period.}
  group_id: {type: bigint, description: "Group in the period, or null if the ticket had none."}
  schedule_id: {type: bigint, description: "Calendar of the group, or the default calendar."}
*/
select
  p.ticket_id::bigint as ticket_id,
  case when p.is_creation then '-infinity' else p.started_at end::timestamptz as started_at,
  coalesce(lead(p.started_at) over (partition by p.ticket_id order by p.period), 'infinity')::timestamptz as ended_at,
  p.group_id::bigint as group_id,
  p.schedule_id::bigint as schedule_id
from {{ ref('ticket_status_periods') }} p
where p.is_group_change and {{ changed_tickets('p.ticket_id') }}
