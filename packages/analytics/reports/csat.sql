/*
title: Customer satisfaction
description: Ratings of customers in the range, with the rated group and agent.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  ratings: {type: bigint, description: Number of ratings.}
  positive: {type: bigint, description: Number of ratings with a score greater than zero.}
  neutral: {type: bigint, description: Number of ratings with the score zero.}
  negative: {type: bigint, description: Number of ratings with a score less than zero.}
  positive_percent:
    type: numeric
    description: >-
      Percentage of positive ratings, rounded to two decimals.
  score_mean: {type: numeric, description: "Mean score from -3 to 3, rounded to two decimals."}
*/
select
  {{ group_key('r.rated_at', 'r.group_id', 'r.agent_id') }} as "group",
  count(*) as ratings,
  count(*) filter (where r.score > 0) as positive,
  count(*) filter (where r.score = 0) as neutral,
  count(*) filter (where r.score < 0) as negative,
  round(100.0 * count(*) filter (where r.score > 0) / count(*), 2) as positive_percent,
  round(avg(r.score), 2) as score_mean
from {{ ref('ticket_ratings') }} r
join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id
{{ tag_join('r.ticket_id') }}
where m.is_counted and r.score is not null and {{ is_in_range('r.rated_at') }}
group by 1
