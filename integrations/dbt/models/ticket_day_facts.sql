/*
description: >-
  Everything about a ticket that a count of a day depends on. A refresh compares the rows of changed
  tickets before and after their recomputation, and recomputes only the days with differences.
grain: one row for each ticket, day and fact
materialized: view
internal: true
key: [ticket_id, day, fact]
columns:
  ticket_id: {type: bigint, description: Ticket.}
  day: {type: date, description: Day on which the fact counts.}
  fact: {type: text, description: Kind and values of the fact.}
*/
select p.ticket_id::bigint as ticket_id, p.started_day::date as day,
  concat_ws('|', 'event', p.period, p.started_at, coalesce(p.group_id, 0), coalesce(p.agent_id, 0),
    coalesce(m.source, 0), coalesce(m.company_id, 0), p.is_creation, p.is_resolution, p.is_reopening,
    p.is_assignment)::text
    as fact
from {{ ref('ticket_status_periods') }} p
join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id
where p.is_counted and (p.is_creation or p.is_resolution or p.is_reopening or p.is_assignment)
union all
select p.ticket_id, d.day, concat_ws('|', 'open', coalesce(p.group_id, 0), coalesce(p.priority, 0),
  coalesce(p.status, 0), coalesce(p.source, 0), p.created_day)
from {{ ref('ticket_status_periods') }} p
join {{ ref('account_days') }} d on d.day >= p.started_day and d.day < p.ended_day
where p.is_counted and not p.is_resolved
union all
select m.ticket_id, m.first_response_day, concat_ws('|', 'first response', coalesce(m.first_response_group_id,
  0), coalesce(m.source, 0), coalesce(m.company_id, 0), m.first_response_minutes,
  m.first_response_minutes_business, coalesce(m.is_first_response_in_time::text, '-'))
from {{ ref('ticket_metrics') }} m
where m.is_counted and m.first_response_day is not null
union all
select m.ticket_id, m.resolved_day, concat_ws('|', 'resolution', m.resolved_at, coalesce(m.source, 0),
  m.full_resolution_minutes, m.full_resolution_minutes_business, coalesce(m.is_resolution_in_time::text, '-'))
from {{ ref('ticket_metrics') }} m
where m.is_counted and m.resolved_day is not null
union all
select r.ticket_id, r.day, concat_ws('|', 'response', r.response_id, r.agent_id, r.is_first,
  coalesce(r.minutes, -1), coalesce(r.business_minutes, -1))
from {{ ref('responses') }} r
where r.is_counted
union all
select n.ticket_id, n.day, concat_ws('|', 'note', n.message_id, n.author_id)
from {{ ref('ticket_messages') }} n
join {{ ref('ticket_metrics') }} m on m.ticket_id = n.ticket_id and m.is_counted
where n.kind = 'note'
union all
select e.ticket_id, e.day, concat_ws('|', 'time entry', e.time_entry_id, e.agent_id, e.minutes)
from {{ ref('ticket_time_entries') }} e
join {{ ref('ticket_metrics') }} m on m.ticket_id = e.ticket_id and m.is_counted
union all
select r.ticket_id, r.day, concat_ws('|', 'rating', r.rating_id, coalesce(r.agent_id, 0), coalesce(r.group_id,
  0), r.score, coalesce(m.source, 0), coalesce(m.company_id, 0))
from {{ ref('ticket_ratings') }} r
join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id and m.is_counted
