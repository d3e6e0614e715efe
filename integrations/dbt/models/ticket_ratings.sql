/*
description: The ratings of each ticket, without the customer's text.
grain: one row for each rating
materialized: incremental
refresh: ticket
internal: true
key: [rating_id]
indexes:
  - [ticket_id]
  - [day]
columns:
  rating_id: {type: bigint, description: Rating.}
  ticket_id: {type: bigint, description: Rated ticket.}
  agent_id: {type: bigint, description: "Rated agent, or null."}
  group_id: {type: bigint, description: "Rated group, or null."}
  score:
    type: integer
    description: >-
      From 3 (extremely happy) to -3 (extremely unhappy), or null if the rating has an unknown
      code.
  rated_at: {type: timestamptz, description: Time of the rating.}
  day: {type: date, description: Day of the rating in the time zone of the account.}
*/
select
  r.id::bigint as rating_id,
  r.ticket_id::bigint as ticket_id,
  r.agent_id::bigint as agent_id,
  r.group_id::bigint as group_id,
  {{ rating_score('r.ratings') }}::integer as score,
  r.created_at::timestamptz as rated_at,
  (r.created_at at time zone (select a.time_zone from {{ ref('account') }} a))::date as day
from {{ source_table('satisfaction_ratings') }} r
where r._freshet_deleted_at is null and r.ticket_id is not null and {{ changed_tickets('r.ticket_id') }}
