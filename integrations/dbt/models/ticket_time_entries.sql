/*
description: The time entries of each ticket, without the agent's note.
grain: one row for each time entry
materialized: incremental
refresh: ticket
internal: true
key: [time_entry_id]
indexes:
  - [ticket_id]
  - [day]
columns:
  time_entry_id: {type: bigint, description: Time entry.}
  ticket_id: {type: bigint, description: Ticket.}
  agent_id: {type: bigint, description: "Agent, or null."}
  minutes: {type: numeric, description: Minutes of the entry.}
  executed_at: {type: timestamptz, description: Time at which the work was done.}
  day: {type: date, description: Day of the work in the time zone of the account.}
*/
select
  e.id::bigint as time_entry_id,
  e.ticket_id::bigint as ticket_id,
  e.agent_id::bigint as agent_id,
  {{ tracked_minutes('e') }}::numeric as minutes,
  coalesce(e.executed_at, e.created_at)::timestamptz as executed_at,
  (coalesce(e.executed_at, e.created_at) at time zone (select a.time_zone from {{ ref('account') }} a))::date as day
from {{ source_table('time_entries') }} e
where e._freshet_deleted_at is null and e.ticket_id is not null and {{ changed_tickets('e.ticket_id') }}
