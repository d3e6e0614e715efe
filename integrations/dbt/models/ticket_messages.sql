/*
description: >-
  The messages of each ticket that count: agent responses, customer messages and private notes.
  Automatic responses, forwards, survey feedback and deleted messages have no row.
grain: one row for each message
materialized: incremental
refresh: ticket
internal: true
key: [ticket_id, created_at, message_id]
indexes:
  - [day]
columns:
  ticket_id: {type: bigint, description: Ticket.}
  created_at: {type: timestamptz, description: Time of the message.}
  message_id: {type: bigint, description: Id of the conversation.}
  kind: {type: text, description: "response, customer or note."}
  author_id: {type: bigint, description: "Author: an agent or a contact."}
  day: {type: date, description: Day of the message in the time zone of the account.}
*/
select
  c.ticket_id::bigint as ticket_id,
  c.created_at::timestamptz as created_at,
  c.id::bigint as message_id,
  k.kind::text as kind,
  c.user_id::bigint as author_id,
  (c.created_at at time zone (select a.time_zone from {{ ref('account') }} a))::date as day
from {{ source_table('conversations') }} c
cross join lateral (
  select case
    when c.incoming is true then case when c.source is distinct from 6 then 'customer' end
    when c.private is true then case when c.source = 2 then 'note' end
    when c.source in (6, 8) or c.auto_response is true or c.automation_id is not null then null
    else 'response'
  end as kind
) k
where k.kind is not null and c.ticket_id is not null and c.created_at is not null
  and c._freshet_deleted_at is null
  and {{ changed_tickets('c.ticket_id') }}
