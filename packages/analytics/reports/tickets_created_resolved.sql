/*
title: Tickets created and resolved
description: >-
  Number of tickets that were created, resolved and reopened. An event counts for the group and agent
  that the ticket had at that time.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  created: {type: bigint, description: Number of tickets that were created.}
  resolved: {type: bigint, description: Number of changes to a resolved status.}
  reopened: {type: bigint, description: Number of changes from a resolved status to another status.}
*/
select
  {{ group_key('p.started_at', 'p.group_id', 'p.agent_id') }} as "group",
  count(*) filter (where p.is_creation) as created,
  count(*) filter (where p.is_resolution) as resolved,
  count(*) filter (where p.is_reopening) as reopened
from {{ ref('ticket_status_periods') }} p
join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id
{{ tag_join('p.ticket_id') }}
where p.is_counted and (p.is_creation or p.is_resolution or p.is_reopening) and {{ is_in_range('p.started_at') }}
group by 1
