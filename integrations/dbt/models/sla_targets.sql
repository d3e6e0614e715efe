/*
description: >-
  The targets of each ticket's service level agreement. Freshdesk computes the due times from the SLA
  policy, in business or calendar hours. The states open and overdue depend on the present time.
grain: one row for each ticket and kind of target
materialized: view
key: [ticket_id, kind]
columns:
  ticket_id: {type: bigint, description: Ticket., not_null: true, references: ticket_metrics.ticket_id}
  kind:
    type: text
    description: "first_response, next_response or resolution."
    accepted_values: [first_response, next_response, resolution]
  due_at:
    type: timestamptz
    description: >-
      Time by which the target must be achieved, or null if there is no target.
  achieved_at:
    type: timestamptz
    description: >-
      Time at which the target was achieved: the first agent response, the response to the latest
      customer message, or the last change to a resolved status.
  state:
    type: text
    accepted_values: [met, missed, open, overdue, not_applicable]
    description: >-
      met (achieved by the due time), missed (achieved later, or the ticket was resolved after the due
      time without a response), open (not due yet, or the status stops the clock), overdue (due and not
      achieved) or not_applicable (no due time, a ticket that does not count, a first response to an
      outbound ticket, or a response that a ticket resolved in time did not need).
  minutes_over:
    type: numeric
    description: >-
      Minutes from due_at to achieved_at, or until now if overdue. Null unless missed or
      overdue.
  group_id: {type: bigint, description: Current group of the ticket.}
  agent_id: {type: bigint, description: Current agent of the ticket.}
*/
select
  s.ticket_id::bigint as ticket_id,
  s.kind::text as kind,
  s.due_at::timestamptz as due_at,
  s.achieved_at::timestamptz as achieved_at,
  s.state::text as state,
  case
    when s.state = 'missed' then {{ minutes_between('s.due_at', 'coalesce(s.achieved_at, s.resolved_at)') }}
    when s.state = 'overdue' then {{ minutes_between('s.due_at', 'now()') }}
  end::numeric as minutes_over,
  s.group_id::bigint as group_id,
  s.agent_id::bigint as agent_id
from (
  select
    m.ticket_id, k.kind, k.due_at, k.achieved_at, m.resolved_at, m.group_id, m.agent_id,
    case
      when k.due_at is null or not m.is_counted or (k.kind = 'first_response' and m.is_outbound) then 'not_applicable'
      when k.achieved_at <= k.due_at then 'met'
      when k.achieved_at is not null then 'missed'
      when m.resolved_at <= k.due_at then 'not_applicable'
      when m.resolved_at is not null then 'missed'
      when k.due_at >= now() or t.stops_sla_timer then 'open'
      else 'overdue'
    end as state
  from {{ ref('ticket_metrics') }} m
  join {{ ref('ticket_base') }} b on b.ticket_id = m.ticket_id
  left join {{ ref('ticket_statuses') }} t on t.status = m.status
  cross join lateral (
    select 'first_response' as kind, b.first_response_due_at as due_at, m.first_responded_at as achieved_at
    union all
    select 'next_response', b.next_response_due_at, m.last_answered_at
    union all
    select 'resolution', b.resolution_due_at, m.resolved_at
  ) k
) s
