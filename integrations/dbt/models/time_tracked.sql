/*
description: The time that agents spent on tickets.
grain: one row for each time entry
materialized: view
key: [time_entry_id]
columns:
  time_entry_id: {type: bigint, description: Time entry.}
  ticket_id: {type: bigint, description: Ticket.}
  agent_id: {type: bigint, description: "Agent, or null."}
  agent_name: {type: text, description: Name of the agent.}
  company_id: {type: bigint, description: "Company of the ticket, or null."}
  minutes:
    type: numeric
    description: >-
      Minutes of the entry. A running timer counts with the time that is stored.
  billable: {type: boolean, description: The time is billable.}
  executed_at: {type: timestamptz, description: Time at which the work was done.}
  executed_day:
    type: date
    description: >-
      Day of executed_at, or of the creation of the entry, in the time zone of the account.
*/
select
  e.id::bigint as time_entry_id,
  e.ticket_id::bigint as ticket_id,
  e.agent_id::bigint as agent_id,
  (a.contact ->> 'name')::text as agent_name,
  e.company_id::bigint as company_id,
  {{ tracked_minutes('e') }}::numeric as minutes,
  e.billable::boolean as billable,
  e.executed_at::timestamptz as executed_at,
  (coalesce(e.executed_at, e.created_at) at time zone (select c.time_zone
    from {{ ref('account') }} c))::date as executed_day
from {{ source_table('time_entries') }} e
left join {{ source_table('agents') }} a on a.id = e.agent_id
where e._freshet_deleted_at is null
