/*
title: First response time
description: >-
  Time from the creation of a ticket to its first agent response, for the tickets whose first response
  is in the range. Outbound tickets have no first response.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  tickets: {type: bigint, description: Number of tickets with a first response.}
  minutes_median: {type: numeric, description: Median in minutes.}
  minutes_p90: {type: numeric, description: 90th percentile in minutes.}
  minutes_mean: {type: numeric, description: Mean in minutes.}
  business_minutes_median: {type: numeric, description: Median in business minutes.}
  business_minutes_p90: {type: numeric, description: 90th percentile in business minutes.}
  business_minutes_mean: {type: numeric, description: Mean in business minutes.}
*/
select
  {{ group_key('m.first_responded_at', 'm.first_response_group_id', 'm.agent_id') }} as "group",
  count(*) as tickets,
  round(percentile_cont(0.5) within group (order by m.first_response_minutes)::numeric, 4) as minutes_median,
  round(percentile_cont(0.9) within group (order by m.first_response_minutes)::numeric, 4) as minutes_p90,
  round(avg(m.first_response_minutes), 4) as minutes_mean,
  round(percentile_cont(0.5) within group (order by m.first_response_minutes_business)::numeric, 4)
    as business_minutes_median,
  round(percentile_cont(0.9) within group (order by m.first_response_minutes_business)::numeric, 4)
    as business_minutes_p90,
  round(avg(m.first_response_minutes_business), 4) as business_minutes_mean
from {{ ref('ticket_metrics') }} m
{{ tag_join('m.ticket_id') }}
where m.is_counted and {{ is_in_range('m.first_responded_at') }}
group by 1
