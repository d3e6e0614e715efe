/*
description: The tags of tickets.
grain: one row for each ticket and tag
materialized: view
key: [ticket_id, tag]
columns:
  ticket_id: {type: bigint, description: Ticket., references: tickets.id}
  tag: {type: text, description: Tag., not_null: true}
*/
select distinct
  t.id::bigint as ticket_id,
  e.tag::text as tag
from {{ source_table('tickets') }} t
cross join lateral jsonb_array_elements_text(case when jsonb_typeof(t.tags) = 'array' then t.tags else '[]' end) e (tag)
where e.tag is not null
