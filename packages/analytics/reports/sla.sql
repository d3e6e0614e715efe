/*
title: Service level agreement
description: >-
  Targets of the service level agreement that became due in the range. Targets that do not apply, or
  that are open because the status stops the clock, do not count.
group_by: [day, week, month, total, group, agent, source, company, priority, tag]
columns:
  first_response_met: {type: bigint, description: Number of first responses in time.}
  first_response_missed:
    type: bigint
    description: >-
      Number of first responses that were late or are overdue.
  first_response_percent:
    type: numeric
    description: >-
      Percentage of first responses in time, rounded to two decimals.
  next_response_met: {type: bigint, description: Number of next responses in time.}
  next_response_missed:
    type: bigint
    description: >-
      Number of next responses that were late or are overdue.
  next_response_percent:
    type: numeric
    description: >-
      Percentage of next responses in time, rounded to two decimals.
  resolution_met: {type: bigint, description: Number of resolutions in time.}
  resolution_missed:
    type: bigint
    description: >-
      Number of resolutions that were late or are overdue.
  resolution_percent:
    type: numeric
    description: >-
      Percentage of resolutions in time, rounded to two decimals.
*/
with targets as (
  select
    {{ group_key('s.due_at', 'm.group_id', 'm.agent_id') }} as "group",
    s.kind,
    s.state = 'met' as is_met
  from {{ ref('sla_targets') }} s
  join {{ ref('ticket_metrics') }} m on m.ticket_id = s.ticket_id
  {{ tag_join('m.ticket_id') }}
  where s.state in ('met', 'missed', 'overdue') and {{ is_in_range('s.due_at') }}
)
select
  t."group",
  count(*) filter (where t.kind = 'first_response' and t.is_met) as first_response_met,
  count(*) filter (where t.kind = 'first_response' and not t.is_met) as first_response_missed,
  round(
    100.0 * count(*) filter (where t.kind = 'first_response' and t.is_met)
      / nullif(count(*) filter (where t.kind = 'first_response'), 0), 2
  ) as first_response_percent,
  count(*) filter (where t.kind = 'next_response' and t.is_met) as next_response_met,
  count(*) filter (where t.kind = 'next_response' and not t.is_met) as next_response_missed,
  round(
    100.0 * count(*) filter (where t.kind = 'next_response' and t.is_met)
      / nullif(count(*) filter (where t.kind = 'next_response'), 0), 2
  ) as next_response_percent,
  count(*) filter (where t.kind = 'resolution' and t.is_met) as resolution_met,
  count(*) filter (where t.kind = 'resolution' and not t.is_met) as resolution_missed,
  round(
    100.0 * count(*) filter (where t.kind = 'resolution' and t.is_met)
      / nullif(count(*) filter (where t.kind = 'resolution'), 0), 2
  ) as resolution_percent
from targets t
group by t."group"
