/*
title: Busiest hours
description: >-
  Number of tickets and customer messages by weekday and hour of the time zone, for a heat map. An
  hour without tickets and messages has no row.
group_by: []
columns:
  weekday: {type: integer, description: "Weekday from 1 (Monday) to 7 (Sunday)."}
  hour: {type: integer, description: "Hour from 0 to 23."}
  created: {type: bigint, description: Number of tickets that were created.}
  customer_messages:
    type: bigint
    description: >-
      Number of customer messages, without the creation of tickets.
*/
select
  extract(isodow from e.local_time)::integer as weekday,
  extract(hour from e.local_time)::integer as hour,
  count(*) filter (where e.is_creation) as created,
  count(*) filter (where not e.is_creation) as customer_messages
from (
  select m.created_at at time zone {{ time_zone() }} as local_time, true as is_creation
  from {{ ref('ticket_metrics') }} m
  where m.is_counted and {{ is_in_range('m.created_at') }}
  union all
  select c.created_at at time zone {{ time_zone() }}, false
  from {{ ref('ticket_messages') }} c
  join {{ ref('ticket_metrics') }} m on m.ticket_id = c.ticket_id and m.is_counted
  where c.kind = 'customer' and {{ is_in_range('c.created_at') }}
) e
group by 1, 2
order by 1, 2
