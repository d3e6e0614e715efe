/*
description: >-
  The ratings of customers. The score is that of the survey's default question.
grain: one row for each rating
materialized: view
key: [rating_id]
columns:
  rating_id: {type: bigint, description: Rating.}
  ticket_id: {type: bigint, description: Rated ticket.}
  agent_id: {type: bigint, description: "Rated agent, or null."}
  agent_name: {type: text, description: Name of the rated agent.}
  group_id: {type: bigint, description: "Rated group, or null."}
  group_name: {type: text, description: Name of the rated group.}
  requester_id: {type: bigint, description: Contact who rated.}
  score:
    type: integer
    accepted_values: [-3, -2, -1, 0, 1, 2, 3]
    description: >-
      From 3 (extremely happy) to -3 (extremely unhappy), or null if the rating has an unknown
      code.
  label: {type: text, description: Name of the score.}
  is_positive: {type: boolean, description: The score is greater than zero.}
  comment: {type: text, description: Text that the customer wrote.}
  rated_at: {type: timestamptz, description: Time of the rating.}
  rated_day: {type: date, description: Day of the rating in the time zone of the account.}
  is_counted:
    type: boolean
    description: >-
      The ticket counts in aggregates, because it is not spam, deleted or merged. True if the
      ticket is not known.
*/
select
  r.id::bigint as rating_id,
  r.ticket_id::bigint as ticket_id,
  r.agent_id::bigint as agent_id,
  (a.contact ->> 'name')::text as agent_name,
  r.group_id::bigint as group_id,
  g.name::text as group_name,
  r.user_id::bigint as requester_id,
  x.score::integer as score,
  (case x.score
    when 3 then 'Extremely happy' when 2 then 'Very happy' when 1 then 'Happy' when 0 then 'Neutral'
    when -1 then 'Unhappy' when -2 then 'Very unhappy' when -3 then 'Extremely unhappy'
  end)::text as label,
  (x.score > 0)::boolean as is_positive,
  r.feedback::text as comment,
  r.created_at::timestamptz as rated_at,
  (r.created_at at time zone (select c.time_zone from {{ ref('account') }} c))::date as rated_day,
  coalesce(m.is_counted, true)::boolean as is_counted
from {{ source_table('satisfaction_ratings') }} r
cross join lateral (select {{ rating_score('r.ratings') }} as score) x
left join {{ source_table('agents') }} a on a.id = r.agent_id
left join {{ source_table('groups') }} g on g.id = r.group_id
left join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id
where r._freshet_deleted_at is null
