/*
title: Channel mix
description: >-
  Number and percentage of the tickets that were created in the range, by channel and, within each
  day, week, month, group, company or priority.
group_by: [month, week, day, total, group, company, priority]
columns:
  source: {type: text, description: Channel through which the tickets were created.}
  created: {type: bigint, description: Number of tickets that were created.}
  percent:
    type: numeric
    description: >-
      Percentage of the tickets of the group, rounded to two decimals.
*/
select
  c."group",
  coalesce(n.name, c.source::text, 'None') as source,
  c.created,
  round(100.0 * c.created / sum(c.created) over (partition by c."group"), 2) as percent
from (
  select {{ group_key('m.created_at', 'm.group_id', 'm.agent_id') }} as "group", m.source, count(*) as created
  from {{ ref('ticket_metrics') }} m
  where m.is_counted and {{ is_in_range('m.created_at') }}
  group by 1, 2
) c
left join {{ ref('dimension_names') }} n on n.dimension = 'source' and n.id = c.source
