/*
description: >-
  The responses of agents: public replies and public notes. Private notes, forwards and automatic
  responses do not count. Messages of one ticket are ordered by time and id. The creation of a ticket
  is its first customer message, except for outbound tickets.
grain: one row for each agent response
materialized: incremental
refresh: ticket
key: [response_id]
indexes:
  - [ticket_id]
  - [day]
columns:
  response_id: {type: bigint, description: Id of the conversation.}
  ticket_id: {type: bigint, description: Ticket., not_null: true, references: ticket_metrics.ticket_id}
  agent_id: {type: bigint, description: Author of the response.}
  group_id:
    type: bigint
    description: >-
      Group of the ticket at the time of the response, or null if it had none.
  waited_since:
    type: timestamptz
    description: >-
      Earliest customer message after the previous response, or null if there was none.
  responded_at: {type: timestamptz, description: Time of the response., not_null: true}
  minutes:
    type: numeric
    description: >-
      Minutes from waited_since to responded_at, rounded to four decimals. Zero if responded_at
      precedes waited_since, and null if waited_since is null.
  business_minutes:
    type: numeric
    description: >-
      Open minutes from waited_since to responded_at in the calendars of the groups that the ticket
      had, rounded to four decimals. Null if waited_since is null or the account has no calendar.
  is_first:
    type: boolean
    description: >-
      The response is the first response to the ticket. False for outbound tickets.
  is_skewed:
    type: boolean
    description: >-
      The response is older than the ticket because of differing clocks.
  day: {type: date, description: Day of the response in the time zone of the account.}
  is_counted:
    type: boolean
    description: >-
      The ticket counts in aggregates, because it is not spam, deleted or merged.
*/
with tickets as (
  select b.ticket_id, b.created_at, b.is_outbound,
    not (b.is_spam or b.is_deleted or m.ticket_id is not null) as is_counted
  from {{ ref('ticket_base') }} b
  left join {{ ref('ticket_merges') }} m on m.ticket_id = b.ticket_id
  where {{ changed_tickets('b.ticket_id') }}
),
messages as (
  select m.ticket_id, m.created_at, m.message_id, m.kind = 'response' as is_response, m.author_id, m.day
  from {{ ref('ticket_messages') }} m
  where m.kind <> 'note' and {{ changed_tickets('m.ticket_id') }}
),
-- A turn is a response with the customer messages since the previous response.
turns as (
  select
    m.*,
    count(*) filter (where m.is_response) over (
      partition by m.ticket_id order by m.created_at, m.message_id rows between unbounded preceding and 1 preceding
    ) as turn
  from messages m
),
answers as (
  select
    t.ticket_id, t.turn,
    min(t.created_at) filter (where not t.is_response) as asked_at,
    max(t.created_at) filter (where t.is_response) as responded_at,
    max(t.message_id) filter (where t.is_response) as response_id,
    max(t.author_id) filter (where t.is_response) as agent_id,
    max(t.day) filter (where t.is_response) as day
  from turns t
  group by t.ticket_id, t.turn
  having bool_or(t.is_response)
),
timed as (
  select
    a.response_id, a.ticket_id, a.agent_id, a.responded_at, a.day, a.turn,
    case when a.turn = 0 and not t.is_outbound then t.created_at else a.asked_at end as waited_since,
    a.responded_at < t.created_at as is_skewed,
    a.turn = 0 and not t.is_outbound as is_first,
    t.is_counted
  from answers a
  join tickets t on t.ticket_id = a.ticket_id
),
-- The parts of the waiting time with different groups. Most tickets have one group.
parts as (
  select
    t.response_id, g.group_id, g.schedule_id,
    t.responded_at >= g.started_at and t.responded_at < g.ended_at as is_at_response,
    greatest(t.waited_since, g.started_at) as part_from,
    least(t.responded_at, g.ended_at) as part_to
  from timed t
  join {{ ref('ticket_group_periods') }} g on g.ticket_id = t.ticket_id
    and g.started_at <= t.responded_at and g.ended_at > least(t.waited_since, t.responded_at)
),
business as (
  select
    p.response_id,
    max(p.group_id) filter (where p.is_at_response) as group_id,
    sum(
      case when p.schedule_id is null then null
        when p.part_from < p.part_to then
          {{ open_time_before('e', 'p.schedule_id', 'p.part_to') }}
            - {{ open_time_before('s', 'p.schedule_id', 'p.part_from') }}
        else interval '0'
      end
    ) as business_time
  from parts p
  {{ business_day('s', 'p.schedule_id', 'p.part_from') }}
  {{ business_day('e', 'p.schedule_id', 'p.part_to') }}
  group by p.response_id
)
select
  t.response_id::bigint as response_id,
  t.ticket_id::bigint as ticket_id,
  t.agent_id::bigint as agent_id,
  b.group_id::bigint as group_id,
  t.waited_since::timestamptz as waited_since,
  t.responded_at::timestamptz as responded_at,
  case when t.waited_since is not null then
    {{ minutes_of("greatest(t.responded_at - t.waited_since, interval '0')") }}
  end::numeric as minutes,
  case when t.waited_since is not null then {{ minutes_of('b.business_time') }} end::numeric
    as business_minutes,
  t.is_first::boolean as is_first,
  t.is_skewed::boolean as is_skewed,
  t.day::date as day,
  t.is_counted::boolean as is_counted
from timed t
left join business b on b.response_id = t.response_id
