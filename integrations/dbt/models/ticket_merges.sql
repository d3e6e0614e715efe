/*
description: >-
  The tickets that were merged into another ticket. The export of activities names them. Without the
  export, a private note of the form "merged into ticket 123" on a closed ticket is the evidence.
grain: one row for each merged ticket
materialized: incremental
refresh: ticket
internal: true
key: [ticket_id]
columns:
  ticket_id: {type: bigint, description: Merged ticket.}
  merged_into:
    type: bigint
    description: >-
      Ticket that contains the messages since the merge, or null if it is not known.
*/
with evidence as (
  select a.ticket_id, 1 as priority, a.performed_at as at, a.position, a.id as entry_id,
    a.activity ->> 'merged_into' as target
  from {{ source_table('ticket_activities') }} a
  where a.activity ? 'merged_into' and a._freshet_deleted_at is null and {{ changed_tickets('a.ticket_id') }}
  union all
  select c.ticket_id, 2, c.created_at, c.id, '', substring(lower(c.body_text)
    from 'merged into (?:the )?ticket (?:id )?#?([0-9]{1,18})')
  from {{ source_table('conversations') }} c
  join {{ ref('ticket_base') }} t on t.ticket_id = c.ticket_id and t.status = 5
  where c.private is true and c.incoming is not true and c.source = 2 and c._freshet_deleted_at is null
    and length(c.body_text) < 400 and c.body_text ~* 'merged into (the )?ticket (id )?#?[0-9]'
    and {{ changed_tickets('c.ticket_id') }}
)
select
  e.ticket_id::bigint as ticket_id,
  (array_agg(case when e.target ~ '^[0-9]{1,18}$' then e.target::bigint end order by e.priority, e.at desc,
    e.position desc nulls last, e.entry_id desc))[1]::bigint
    as merged_into
from evidence e
where e.ticket_id is not null
group by e.ticket_id
