/*
description: The names of everything by which reports group tickets.
grain: one row for each dimension and id
materialized: view
internal: true
key: [dimension, id]
columns:
  dimension: {type: text, description: "group, agent, company, priority, source or status."}
  id: {type: bigint, description: Id or number.}
  name: {type: text, description: Name.}
*/
select 'group'::text as dimension, g.group_id::bigint as id, g.name::text as name
from {{ ref('group_schedules') }} g
union all
select 'agent', a.id, a.contact ->> 'name'
from {{ source_table('agents') }} a
union all
select 'company', c.id, c.name
from {{ source_table('companies') }} c
union all
select 'status', s.status, s.label
from {{ ref('ticket_statuses') }} s
union all
select 'priority', v.id, coalesce(p.label, v.label)
from (values (1, 'Low'), (2, 'Medium'), (3, 'High'), (4, 'Urgent')) v (id, label)
left join {{ source_table('ticket_priorities') }} p on p.id = v.id
union all
select 'priority', p.id, p.label
from {{ source_table('ticket_priorities') }} p
where p.id not in (1, 2, 3, 4)
union all
select 'source', coalesce(v.id, o.id), coalesce(o.label, v.label)
from (
  values (1, 'Email'), (2, 'Portal'), (3, 'Phone'), (4, 'Forum'), (5, 'Twitter'), (6, 'Facebook'), (7, 'Chat'),
    (9, 'Feedback Widget'), (10, 'Outbound Email'), (13, 'WhatsApp')
) v (id, label)
full join {{ source_table('ticket_sources') }} o on o.id = v.id
