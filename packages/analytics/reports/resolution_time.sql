/*
title: Resolution time
description: >-
  Time from the creation of a ticket to its last resolution, for the resolved tickets whose last
  resolution is in the range. Groups and agents are those of the ticket now.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  tickets: {type: bigint, description: Number of resolved tickets.}
  minutes_median: {type: numeric, description: Median in minutes.}
  minutes_p90: {type: numeric, description: 90th percentile in minutes.}
  minutes_mean: {type: numeric, description: Mean in minutes.}
  business_minutes_median: {type: numeric, description: Median in business minutes.}
  business_minutes_p90: {type: numeric, description: 90th percentile in business minutes.}
  business_minutes_mean: {type: numeric, description: Mean in business minutes.}
  reopened_percent:
    type: numeric
    description: >-
      Percentage of these tickets that were reopened at least once, rounded to two decimals.
  first_contact_percent:
    type: numeric
    description: >-
      Percentage of these tickets that were resolved at first contact, rounded to two
      decimals.
*/
select
  {{ group_key('m.resolved_at', 'm.group_id', 'm.agent_id') }} as "group",
  count(*) as tickets,
  round(percentile_cont(0.5) within group (order by m.full_resolution_minutes)::numeric, 4) as minutes_median,
  round(percentile_cont(0.9) within group (order by m.full_resolution_minutes)::numeric, 4) as minutes_p90,
  round(avg(m.full_resolution_minutes), 4) as minutes_mean,
  round(percentile_cont(0.5) within group (order by m.full_resolution_minutes_business)::numeric, 4)
    as business_minutes_median,
  round(percentile_cont(0.9) within group (order by m.full_resolution_minutes_business)::numeric, 4)
    as business_minutes_p90,
  round(avg(m.full_resolution_minutes_business), 4) as business_minutes_mean,
  round(100.0 * count(*) filter (where m.reopens > 0) / count(*), 2) as reopened_percent,
  round(
    100.0 * count(*) filter (where m.is_first_contact_resolution)
      / nullif(count(*) filter (where m.is_first_contact_resolution is not null), 0),
    2
  ) as first_contact_percent
from {{ ref('ticket_metrics') }} m
{{ tag_join('m.ticket_id') }}
where m.is_counted and {{ is_in_range('m.resolved_at') }}
group by 1
