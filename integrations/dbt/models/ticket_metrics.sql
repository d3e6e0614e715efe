/*
description: >-
  Durations and counts of each ticket. Durations are minutes with four decimals. They are calendar
  time, unless the name ends with _business. Business time uses the calendar of the ticket's group at
  each time, or the default calendar of the account. The columns that depend on messages are null if
  the table conversations does not exist.
grain: one row for each ticket
materialized: incremental
refresh: ticket
key: [ticket_id]
indexes:
  - [created_day]
  - [first_response_day]
  - [resolved_day]
columns:
  ticket_id: {type: bigint, description: Ticket., references: tickets.id}
  first_response_minutes:
    type: numeric
    description: >-
      Minutes from the creation to the first agent response. Null for outbound tickets and for tickets
      without a response. Without the table conversations, the response is stats.first_responded_at.
  first_response_minutes_business:
    type: numeric
    description: >-
      first_response_minutes, in business time.
  first_resolution_minutes:
    type: numeric
    description: >-
      Minutes from the creation to the first change to a resolved status. If there are neither
      activities nor a history of the ticket, null for a ticket that was reopened.
  first_resolution_minutes_business:
    type: numeric
    description: >-
      first_resolution_minutes, in business time.
  full_resolution_minutes:
    type: numeric
    description: >-
      Minutes from the creation to the last change to a resolved status. Null unless the
      ticket is resolved.
  full_resolution_minutes_business:
    type: numeric
    description: >-
      full_resolution_minutes, in business time.
  requester_wait_minutes:
    type: numeric
    description: >-
      Minutes of the ended periods whose status is not resolved and does not stop the clock. Null
      without activities and history.
  requester_wait_minutes_business:
    type: numeric
    description: >-
      requester_wait_minutes, in business time.
  agent_wait_minutes:
    type: numeric
    description: >-
      Minutes of the ended periods whose status stops the clock, such as Pending. Null without
      activities and history.
  agent_wait_minutes_business: {type: numeric, description: "agent_wait_minutes, in business time."}
  agent_responses:
    type: bigint
    description: >-
      Number of agent responses, which are public replies and public notes.
  customer_messages:
    type: bigint
    description: >-
      Number of customer messages, including the creation of a ticket that is not outbound.
  private_notes: {type: bigint, description: Number of private notes of agents.}
  agents_involved:
    type: bigint
    description: >-
      Number of different authors of agent responses and private notes.
  groups_involved: {type: bigint, description: Number of different groups that the ticket had.}
  reopens:
    type: bigint
    description: >-
      Number of changes from a resolved status to a status that is not resolved. Without activities
      and history, 1 if the ticket was reopened at least once.
  is_one_touch:
    type: boolean
    description: >-
      The ticket is resolved and has exactly one agent response.
  is_first_contact_resolution:
    type: boolean
    description: >-
      The ticket is resolved, has exactly one agent response, which was sent before or at the
      resolution, and was never reopened.
  minutes_tracked:
    type: numeric
    description: >-
      Minutes of all time entries of the ticket. Null if the table time_entries does not
      exist.
  csat_score:
    type: integer
    description: "Score of the latest rating, from -3 to 3."
    accepted_values: [-3, -2, -1, 0, 1, 2, 3]
  is_exact:
    type: boolean
    not_null: true
    description: >-
      The export of activities covers each day of the ticket, from its creation until it was last
      resolved, or until the newest complete day if it is open.
  skewed_times:
    type: integer
    description: >-
      Number of agent responses that are older than the ticket because of differing clocks.
      Their durations are zero.
  created_at: {type: timestamptz, description: Creation time of the ticket.}
  first_responded_at:
    type: timestamptz
    description: >-
      Time of the first agent response. Null for outbound tickets.
  first_resolved_at:
    type: timestamptz
    description: >-
      Time of the first change to a resolved status.
  resolved_at:
    type: timestamptz
    description: >-
      Time of the last change to a resolved status. Null unless the ticket is resolved.
  last_answered_at:
    type: timestamptz
    description: >-
      Time of the response to the latest customer message, or null if this message has no
      response.
  status: {type: bigint, description: Current status.}
  priority: {type: bigint, description: Current priority.}
  source: {type: bigint, description: Channel through which the ticket was created.}
  group_id: {type: bigint, description: Current group.}
  agent_id: {type: bigint, description: Current agent.}
  company_id: {type: bigint, description: Company of the requester.}
  first_response_group_id:
    type: bigint
    description: >-
      Group of the ticket at the time of the first response.
  is_resolved: {type: boolean, description: The current status counts as resolved.}
  is_merged: {type: boolean, description: The ticket was merged into another ticket.}
  is_spam: {type: boolean, description: The ticket is marked as spam.}
  is_deleted: {type: boolean, description: The ticket is in the trash or no longer exists.}
  is_outbound: {type: boolean, description: The ticket was created by an outbound email.}
  is_counted:
    type: boolean
    description: >-
      The ticket counts in aggregates, because it is not spam, deleted or merged.
  is_first_response_in_time:
    type: boolean
    description: >-
      The first response was sent by the time at which it was due. Null without a response or
      a due time.
  is_resolution_in_time:
    type: boolean
    description: >-
      The ticket was last resolved by the time at which the resolution was due. Null unless
      resolved with a due time.
  created_day: {type: date, description: Day of created_at in the time zone of the account.}
  first_response_day:
    type: date
    description: >-
      Day of first_responded_at in the time zone of the account.
  resolved_day: {type: date, description: Day of resolved_at in the time zone of the account.}
*/
with tickets as (
  select b.*, m.ticket_id is not null as is_merged
  from {{ ref('ticket_base') }} b
  left join {{ ref('ticket_merges') }} m on m.ticket_id = b.ticket_id
  where {{ changed_tickets('b.ticket_id') }}
),
messages as (
  select
    m.ticket_id,
    count(*) filter (where m.kind = 'response') as agent_responses,
    count(*) filter (where m.kind = 'customer') as customer_messages,
    count(*) filter (where m.kind = 'note') as private_notes,
    min(m.created_at) filter (where m.kind = 'response') as first_responded_at,
    max(m.created_at) filter (where m.kind = 'customer') as last_asked_at,
    (max(array[extract(epoch from m.created_at), m.message_id]) filter (where m.kind = 'customer'))[2] as last_question_id
  from {{ ref('ticket_messages') }} m
  where {{ changed_tickets('m.ticket_id') }}
  group by m.ticket_id
),
authors as (
  select a.ticket_id, count(*) as agents_involved
  from (
    select distinct m.ticket_id, m.author_id
    from {{ ref('ticket_messages') }} m
    where m.kind <> 'customer' and m.author_id is not null and {{ changed_tickets('m.ticket_id') }}
  ) a
  group by a.ticket_id
),
answers as (
  select
    r.ticket_id,
    max(r.responded_at) filter (where r.waited_since is not null) as last_answered_at,
    (max(array[extract(epoch from r.responded_at), r.response_id]) filter (where r.waited_since is not null))[2]
      as last_answer_id,
    count(*) filter (where r.is_skewed) as skewed_times
  from {{ ref('responses') }} r
  where {{ changed_tickets('r.ticket_id') }}
  group by r.ticket_id
),
periods as (
  select
    p.ticket_id,
    bool_or(p.is_creation and p.evidence <> 'stats') as has_events,
    min(p.started_at) filter (where p.is_resolution) as first_resolved_at,
    max(p.started_at) filter (where p.is_resolution) as last_resolved_at,
    count(*) filter (where p.is_reopening) as reopens,
    sum(p.ended_at - p.started_at) filter (where not p.is_resolved and not p.stops_sla_timer) as requester_wait,
    sum(p.ended_at - p.started_at) filter (where p.stops_sla_timer) as agent_wait,
    sum(p.business_time) filter (where not p.is_resolved and not p.stops_sla_timer) as requester_wait_business,
    sum(p.business_time) filter (where p.stops_sla_timer) as agent_wait_business,
    min(p.group_id) as least_group_id,
    max(p.group_id) as greatest_group_id,
    bool_or(p.status is null) as has_unknown_status,
    bool_and(p.schedule_id is not null) as has_schedule,
    bool_or(p.is_creation and p.evidence = 'activities')
      and bool_and(p.evidence = 'activities' or (p.ended_at is null and not p.is_resolution)) as is_from_activities
  from {{ ref('ticket_status_periods') }} p
  where {{ changed_tickets('p.ticket_id') }}
  group by p.ticket_id
),
tracked as (
  select e.ticket_id, sum(e.minutes) as minutes
  from {{ ref('ticket_time_entries') }} e
  where {{ changed_tickets('e.ticket_id') }}
  group by e.ticket_id
),
ratings as (
  select r.ticket_id, (array_agg(r.score order by r.rated_at desc, r.rating_id desc))[1] as score
  from {{ ref('ticket_ratings') }} r
  where r.score is not null and {{ changed_tickets('r.ticket_id') }}
  group by r.ticket_id
),
points as (
  select
    t.*,
    coalesce(s.is_resolved, false) as is_resolved,
    case when t.is_outbound then null
      when {{ source_exists('conversations') }} then m.first_responded_at
      else t.stats_first_responded_at
    end as first_responded_at,
    case when p.has_events or t.stats_reopened_at is null then p.first_resolved_at end as first_resolved_at,
    case when coalesce(s.is_resolved, false) then p.last_resolved_at end as resolved_at,
    p.has_events, p.has_unknown_status, p.has_schedule, p.is_from_activities,
    case when p.has_events then p.reopens else (t.stats_reopened_at is not null)::integer end as reopens,
    p.requester_wait, p.agent_wait, p.requester_wait_business, p.agent_wait_business,
    p.least_group_id, p.greatest_group_id,
    m.agent_responses, m.customer_messages, m.private_notes, m.last_asked_at, m.last_question_id, m.first_responded_at as any_responded_at
  from tickets t
  left join messages m on m.ticket_id = t.ticket_id
  left join periods p on p.ticket_id = t.ticket_id
  left join {{ ref('ticket_statuses') }} s on s.status = t.status
),
parts as (
  select
    p.ticket_id, g.schedule_id, g.group_id,
    p.first_responded_at >= g.started_at and p.first_responded_at < g.ended_at as is_at_first_response,
    greatest(p.created_at, g.started_at) as part_from,
    least(p.first_responded_at, g.ended_at) as first_response_to,
    least(p.first_resolved_at, g.ended_at) as first_resolution_to,
    least(p.resolved_at, g.ended_at) as full_resolution_to,
    p.first_responded_at is not null as has_first_response,
    p.first_resolved_at is not null as has_first_resolution,
    p.resolved_at is not null as has_full_resolution
  from points p
  join {{ ref('ticket_group_periods') }} g on g.ticket_id = p.ticket_id
  where g.started_at <= greatest(p.first_responded_at, p.first_resolved_at, p.resolved_at)
),
part_times as (
  select
    p.*,
    {{ open_time_before('d0', 'p.schedule_id', 'p.part_from') }} as time_from,
    case when p.has_first_response and p.first_response_to > p.part_from
      then {{ open_time_before('d1', 'p.schedule_id', 'p.first_response_to') }} end as first_response_time,
    case when p.has_first_resolution and p.first_resolution_to > p.part_from
      then {{ open_time_before('d2', 'p.schedule_id', 'p.first_resolution_to') }} end as first_resolution_time,
    case when p.has_full_resolution and p.full_resolution_to > p.part_from
        and p.full_resolution_to is distinct from p.first_resolution_to
      then {{ open_time_before('d3', 'p.schedule_id', 'p.full_resolution_to') }} end as full_resolution_time
  from parts p
  {{ business_day('d0', 'p.schedule_id', 'p.part_from') }}
  {{ business_day('d1', 'p.schedule_id', 'p.first_response_to') }}
  {{ business_day('d2', 'p.schedule_id', 'p.first_resolution_to') }}
  {{ business_day('d3', 'p.schedule_id', 'p.full_resolution_to') }}
  -- Without this clause, PostgreSQL would compute each time once for each use.
  offset 0
),
business as (
  select
    p.ticket_id,
    max(p.group_id) filter (where p.is_at_first_response) as first_response_group_id,
    coalesce(sum(p.first_response_time - p.time_from), interval '0') as first_response,
    coalesce(sum(p.first_resolution_time - p.time_from), interval '0') as first_resolution,
    coalesce(
      sum(
        case when p.has_full_resolution then
          case when p.full_resolution_to = p.first_resolution_to and p.has_first_resolution then p.first_resolution_time
            else p.full_resolution_time end
        end - p.time_from
      ),
      interval '0'
    ) as full_resolution
  from part_times p
  group by p.ticket_id
)
select
  p.ticket_id::bigint as ticket_id,
  {{ minutes_between('p.created_at', 'p.first_responded_at') }} as first_response_minutes,
  case when p.has_schedule and p.first_responded_at is not null then {{ minutes_of('b.first_response') }} end::numeric
    as first_response_minutes_business,
  {{ minutes_between('p.created_at', 'p.first_resolved_at') }} as first_resolution_minutes,
  case when p.has_schedule and p.first_resolved_at is not null then {{ minutes_of('b.first_resolution') }} end::numeric
    as first_resolution_minutes_business,
  {{ minutes_between('p.created_at', 'p.resolved_at') }} as full_resolution_minutes,
  case when p.has_schedule and p.resolved_at is not null then {{ minutes_of('b.full_resolution') }} end::numeric
    as full_resolution_minutes_business,
  case when p.has_events then {{ minutes_of("coalesce(p.requester_wait, interval '0')") }} end::numeric
    as requester_wait_minutes,
  case when p.has_events and p.has_schedule then {{ minutes_of("coalesce(p.requester_wait_business,
    interval '0')") }} end::numeric
    as requester_wait_minutes_business,
  case when p.has_events then {{ minutes_of("coalesce(p.agent_wait, interval '0')") }} end::numeric
    as agent_wait_minutes,
  case when p.has_events and p.has_schedule then {{ minutes_of("coalesce(p.agent_wait_business,
    interval '0')") }} end::numeric
    as agent_wait_minutes_business,
  case when {{ source_exists('conversations') }} then coalesce(p.agent_responses, 0) end::bigint as agent_responses,
  case when {{ source_exists('conversations') }} then coalesce(p.customer_messages,
    0) + (not p.is_outbound)::integer end::bigint
    as customer_messages,
  case when {{ source_exists('conversations') }} then coalesce(p.private_notes, 0) end::bigint as private_notes,
  case when {{ source_exists('conversations') }} then coalesce(a.agents_involved, 0) end::bigint as agents_involved,
  case
    when p.least_group_id is null then 0
    when p.least_group_id = p.greatest_group_id then 1
    else (
      select count(distinct g.group_id) from {{ ref('ticket_group_periods') }} g where g.ticket_id = p.ticket_id
    )
  end::bigint as groups_involved,
  p.reopens::bigint as reopens,
  case when {{ source_exists('conversations') }} then p.is_resolved and p.agent_responses is not distinct
    from 1 end::boolean
    as is_one_touch,
  case when {{ source_exists('conversations') }} then
    p.is_resolved and p.agent_responses is not distinct from 1 and p.reopens = 0
    and (p.any_responded_at <= p.resolved_at) is true
  end::boolean as is_first_contact_resolution,
  case when {{ source_exists('time_entries') }} then coalesce(e.minutes, 0) end::numeric as minutes_tracked,
  c.score::integer as csat_score,
  (
    p.is_from_activities is true and p.has_unknown_status is false and ac.activities_from <= p.created_at
  )::boolean as is_exact,
  case when {{ source_exists('conversations') }} then coalesce(q.skewed_times, 0) end::integer as skewed_times,
  p.created_at::timestamptz as created_at,
  p.first_responded_at::timestamptz as first_responded_at,
  p.first_resolved_at::timestamptz as first_resolved_at,
  p.resolved_at::timestamptz as resolved_at,
  case when p.last_asked_at is null or (q.last_answered_at, q.last_answer_id) > (p.last_asked_at, p.last_question_id)
    then q.last_answered_at end::timestamptz
    as last_answered_at,
  p.status::bigint as status,
  p.priority::bigint as priority,
  p.source::bigint as source,
  p.group_id::bigint as group_id,
  p.agent_id::bigint as agent_id,
  p.company_id::bigint as company_id,
  b.first_response_group_id::bigint as first_response_group_id,
  p.is_resolved::boolean as is_resolved,
  p.is_merged::boolean as is_merged,
  p.is_spam::boolean as is_spam,
  p.is_deleted::boolean as is_deleted,
  p.is_outbound::boolean as is_outbound,
  (not (p.is_spam or p.is_deleted or p.is_merged))::boolean as is_counted,
  (p.first_responded_at <= p.first_response_due_at)::boolean as is_first_response_in_time,
  (p.resolved_at <= p.resolution_due_at)::boolean as is_resolution_in_time,
  (p.created_at at time zone ac.time_zone)::date as created_day,
  (p.first_responded_at at time zone ac.time_zone)::date as first_response_day,
  (p.resolved_at at time zone ac.time_zone)::date as resolved_day
from points p
cross join {{ ref('account') }} ac
left join authors a on a.ticket_id = p.ticket_id
left join answers q on q.ticket_id = p.ticket_id
left join tracked e on e.ticket_id = p.ticket_id
left join ratings c on c.ticket_id = p.ticket_id
left join business b on b.ticket_id = p.ticket_id
