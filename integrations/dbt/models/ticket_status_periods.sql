/*
description: >-
  The periods of each ticket. A period is the longest time in which status, group, agent and priority
  stay the same. The changes come from the export of activities. The changes of a ticket within a
  second have the order of the exported file, and the state after the last of them counts. For times
  without activities, the changes come from the history of tickets, which contains at most one
  version for each sync. For tickets without either, they come from the times in `stats` and the
  current row. In this case, only the
  times of the last status are known, the status of the first period can be unknown (null), and the
  current group, agent and priority are used for the whole life of the ticket.
grain: one row for each ticket and period
materialized: incremental
refresh: ticket
key: [ticket_id, period]
indexes:
  - [started_day]
  - [ended_day]
columns:
  ticket_id: {type: bigint, description: Ticket., not_null: true, references: ticket_metrics.ticket_id}
  period: {type: integer, description: "Number of the period within the ticket, from 1."}
  status: {type: bigint, description: "Status in the period, or null if it is not known."}
  group_id: {type: bigint, description: "Group in the period, or null if the ticket had none."}
  agent_id:
    type: bigint
    description: >-
      Assigned agent in the period, or null if the ticket had none.
  priority: {type: bigint, description: Priority in the period.}
  started_at:
    type: timestamptz
    not_null: true
    description: >-
      Start of the period. The first period starts with the creation of the ticket.
  ended_at:
    type: timestamptz
    description: >-
      End of the period, or null if the period has not ended.
  minutes:
    type: numeric
    description: >-
      Minutes from started_at to ended_at, rounded to four decimals. Null if the period has
      not ended.
  business_minutes:
    type: numeric
    description: >-
      Open minutes of the calendar of the period's group from started_at to ended_at, rounded to four
      decimals. Null if the period has not ended or the account has no calendar.
  business_time:
    type: interval
    description: >-
      The same duration as business_minutes, without rounding.
  schedule_id: {type: bigint, description: Calendar of business hours of the period's group.}
  is_resolved:
    type: boolean
    description: >-
      The status counts as resolved. False if the status is not known.
  stops_sla_timer:
    type: boolean
    description: >-
      The status stops the clock of SLA targets. Null if the status is not known.
  is_creation: {type: boolean, description: The period is the first period of the ticket.}
  is_resolution:
    type: boolean
    description: >-
      The ticket became resolved at started_at. Also true for the first period of a ticket
      that was created as resolved.
  is_reopening:
    type: boolean
    description: >-
      The ticket changed from a resolved status to another status at started_at.
  is_assignment: {type: boolean, description: "The ticket was assigned to the agent at started_at."}
  is_group_change:
    type: boolean
    description: >-
      The period is the first period of the ticket or has another group than the previous
      period.
  evidence:
    type: text
    description: "Source of the period: activities, history or stats."
    accepted_values: [activities, history, stats]
  started_day: {type: date, description: Day of started_at in the time zone of the account.}
  ended_day:
    type: date
    description: >-
      Day of ended_at in the time zone of the account. If the period has not ended, infinity.
  source: {type: bigint, description: Channel through which the ticket was created.}
  created_day:
    type: date
    description: >-
      Day of the creation of the ticket in the time zone of the account.
  is_counted:
    type: boolean
    description: >-
      The ticket counts in aggregates, because it is not spam, deleted or merged.
*/
with tickets as (
  select
    b.*,
    s.is_resolved is true as is_resolved,
    case
      when b.status = 5 then coalesce(b.stats_closed_at, b.stats_status_updated_at, b.stats_resolved_at, b.updated_at)
      when s.is_resolved is true then
        case when b.status = 4 then coalesce(b.stats_resolved_at, b.stats_status_updated_at, b.updated_at)
          else coalesce(b.stats_status_updated_at, b.stats_resolved_at, b.updated_at) end
      else b.stats_status_updated_at
    end as status_since
  from {{ ref('ticket_base') }} b
  left join {{ ref('ticket_statuses') }} s on s.status = b.status
  where {{ changed_tickets('b.ticket_id') }}
),
status_labels as (
  select lower(s.label) as label, min(s.status) as status from {{ ref('ticket_statuses') }} s group by 1
),
group_names as (
  select lower(g.name) as name, min(g.group_id) as group_id from {{ ref('group_schedules') }} g group by 1
),
priority_labels as (
  select lower(p.label) as label, min(p.priority) as priority
  from (
    select x.label, x.id as priority from {{ source_table('ticket_priorities') }} x
    union all
    values ('low', 1), ('medium', 2), ('high', 3), ('urgent', 4)
  ) p
  group by 1
),
-- A name that two agents share does not identify an agent.
agent_names as (
  select lower(a.contact ->> 'name') as name, min(a.id) as agent_id
  from {{ source_table('agents') }} a
  group by 1
  having count(*) = 1
),
entries as (
  select
    a.ticket_id, a.performed_at,
    -- Times have no fractions of a second. Within a second, the order of the exported file counts.
    row_number() over (partition by a.ticket_id order by a.performed_at, a.position nulls first, a.id) as sequence,
    a.activity -> 'new_ticket' is not distinct from 'true'::jsonb as is_new,
    a.activity ? 'status' as has_status, a.activity ->> 'status' as status,
    a.activity ?| array['group', 'group_id'] as has_group,
    coalesce(a.activity ->> 'group_id', a.activity ->> 'group') as group_text,
    a.activity ?| array['agent', 'agent_id', 'responder_id'] as has_agent,
    coalesce(a.activity ->> 'agent_id', a.activity ->> 'responder_id', a.activity ->> 'agent') as agent_text,
    a.activity ? 'priority' as has_priority, a.activity ->> 'priority' as priority
  from {{ source_table('ticket_activities') }} a
  where a.activity ?| array['status', 'group', 'group_id', 'agent', 'agent_id', 'responder_id', 'priority']
    and a.performed_at is not null and a._freshet_deleted_at is null
    and {{ changed_tickets('a.ticket_id') }}
),
activity_events as (
  select
    e.ticket_id,
    -- The entry of the creation can differ from created_at by the precision of the export.
    case when e.is_new or e.performed_at < t.created_at then t.created_at else e.performed_at end as at,
    case when e.is_new then 1 else 2 end as rank,
    e.sequence, 'activities' as evidence,
    e.has_status, case when e.status ~ '^[0-9]{1,18}$' then e.status::bigint else s.status end as status,
    e.has_group, case when e.group_text ~ '^[0-9]{1,18}$' then e.group_text::bigint else g.group_id end as group_id,
    e.has_agent, case when e.agent_text ~ '^[0-9]{1,18}$' then e.agent_text::bigint else n.agent_id end as agent_id,
    e.has_priority,
    case when e.priority ~ '^[0-9]{1,18}$' then e.priority::bigint else p.priority end as priority
  from entries e
  join tickets t on t.ticket_id = e.ticket_id
  left join status_labels s on s.label = lower(e.status)
  left join group_names g on g.name = lower(e.group_text)
  left join agent_names n on n.name = lower(e.agent_text)
  left join priority_labels p on p.label = lower(e.priority)
),
activity_ranges as (
  select e.ticket_id, min(e.at) as first_at, max(e.at) as last_at from activity_events e group by 1
),
versions as (
  select
    h.id as ticket_id, h.valid_from, h.status, h.group_id, h.responder_id as agent_id, h.priority,
    {{ stats_time('h', 'status_updated_at') }} as status_updated_at,
    lag(h.valid_from) over w as previous_from,
    lag(h.status) over w as previous_status,
    lag(h.group_id) over w as previous_group_id,
    lag(h.responder_id) over w as previous_agent_id,
    lag(h.priority) over w as previous_priority
  from {{ source_table('tickets_history') }} h
  where {{ changed_tickets('h.id') }}
  window w as (partition by h.id order by h.valid_from)
),
-- The first version shows the group, agent and priority since the creation, as far as is known.
history_events as (
  select
    v.ticket_id, c.at, 3 as rank, c.sequence, 'history' as evidence,
    c.has_status, v.status, c.has_rest as has_group, v.group_id, c.has_rest as has_agent, v.agent_id,
    c.has_rest as has_priority, v.priority
  from versions v
  join tickets t on t.ticket_id = v.ticket_id
  left join activity_ranges r on r.ticket_id = v.ticket_id
  cross join lateral (
    select
      case
        when v.previous_from is null and v.status_updated_at is null then t.created_at
        when v.status_updated_at > coalesce(v.previous_from, '-infinity') and v.status_updated_at <= v.valid_from
          then v.status_updated_at
        else v.valid_from
      end as at,
      true as has_status, false as has_rest, 2 as sequence
    where v.previous_from is null or v.status is distinct from v.previous_status
    union all
    select case when v.previous_from is null then t.created_at else v.valid_from end, false, true, 1
    where v.previous_from is null or (v.group_id, v.agent_id, v.priority)
      is distinct from (v.previous_group_id, v.previous_agent_id, v.previous_priority)
  ) c
  where r.ticket_id is null or c.at < r.first_at or c.at > r.last_at
),
-- Most tickets have no events, so the steps for tickets with events must not depend on all tickets.
events as materialized (
  select * from activity_events
  union all
  select e.ticket_id, greatest(e.at, t.created_at), e.rank, e.sequence, e.evidence, e.has_status, e.status,
    e.has_group, e.group_id,
    e.has_agent, e.agent_id, e.has_priority, e.priority
  from history_events e
  join tickets t on t.ticket_id = e.ticket_id
),
known as (
  select
    e.ticket_id,
    min(e.evidence) as evidence,
    max(e.at) as last_at,
    bool_or(e.has_status) as has_status,
    bool_or(e.has_group) as has_group,
    bool_or(e.has_agent) as has_agent,
    bool_or(e.has_priority) as has_priority,
    (array_agg(e.status order by e.at desc, e.rank desc, e.sequence desc) filter (where e.has_status))[1] as status,
    (array_agg(e.group_id order by e.at desc, e.rank desc, e.sequence desc) filter (where e.has_group))[1] as group_id,
    (array_agg(e.agent_id order by e.at desc, e.rank desc, e.sequence desc) filter (where e.has_agent))[1] as agent_id,
    (array_agg(e.priority order by e.at desc, e.rank desc,
      e.sequence desc) filter (where e.has_priority))[1] as priority,
    (array_agg(s.is_resolved order by e.at desc, e.rank desc,
      e.sequence desc) filter (where e.has_status))[1] as is_resolved
  from events e
  left join {{ ref('ticket_statuses') }} s on s.status = e.status
  group by e.ticket_id
),
-- Before the first event and after the last event, the current row and `stats` complete the events.
completed as (
  select
    e.ticket_id, e.at, e.rank, e.sequence, e.evidence, e.has_status, e.status, e.has_group, e.group_id,
    e.has_agent, e.agent_id, e.has_priority, e.priority
  from events e
  union all
  select
    k.ticket_id, t.created_at, 0, 0, k.evidence, true, null,
    true, case when not k.has_group then t.group_id end,
    true, case when not k.has_agent then t.agent_id end,
    true, case when not k.has_priority then t.priority end
  from known k
  join tickets t on t.ticket_id = k.ticket_id
  union all
  -- A ticket that was resolved and then closed after the last event.
  select k.ticket_id, t.stats_resolved_at, 4, 0, 'stats', true, 4, false, null, false, null, false, null
  from known k
  join tickets t on t.ticket_id = k.ticket_id
  where t.status = 5 and k.has_status and k.status is distinct from 5 and k.is_resolved is not true
    and t.stats_resolved_at > k.last_at and t.stats_resolved_at < t.status_since
  union all
  select
    k.ticket_id,
    case
      when k.has_status then greatest(coalesce(t.status_since, t.updated_at), k.last_at)
      when t.status_since is null or (not t.is_resolved and t.status_since <= t.created_at + interval '5 seconds')
        then t.created_at
      else greatest(t.status_since, t.created_at)
    end,
    5, 0, 'stats', true, t.status, false, null, false, null, false, null
  from known k
  join tickets t on t.ticket_id = k.ticket_id
  where t.status is distinct from k.status
  union all
  select
    k.ticket_id, greatest(t.updated_at, k.last_at), 6, 0, 'stats', false, null,
    k.has_group and t.group_id is distinct from k.group_id, t.group_id,
    k.has_agent and t.agent_id is distinct from k.agent_id, t.agent_id,
    k.has_priority and t.priority is distinct from k.priority, t.priority
  from known k
  join tickets t on t.ticket_id = k.ticket_id
  where (k.has_group and t.group_id is distinct from k.group_id)
    or (k.has_agent and t.agent_id is distinct from k.agent_id)
    or (k.has_priority and t.priority is distinct from k.priority)
),
numbered as (
  select
    c.*, row_number() over (partition by c.ticket_id order by c.at, c.rank, c.sequence) as number
  from completed c
),
-- The greatest array with the number of the event as its first element is the latest known value.
states as (
  select
    n.ticket_id, n.at, n.number, n.evidence,
    nullif((max(array[n.number, coalesce(n.status, -1)]) filter (where n.has_status) over w)[2], -1) as status,
    nullif((max(array[n.number, coalesce(n.group_id, -1)]) filter (where n.has_group) over w)[2], -1) as group_id,
    nullif((max(array[n.number, coalesce(n.agent_id, -1)]) filter (where n.has_agent) over w)[2], -1) as agent_id,
    nullif((max(array[n.number, coalesce(n.priority, -1)]) filter (where n.has_priority) over w)[2], -1) as priority
  from numbered n
  window w as (partition by n.ticket_id order by n.number)
),
-- Of the states that begin at the same time, the last one counts.
lasting as (
  select s.*, lead(s.at) over w as next_at, lead(s.number) over w is null as is_last
  from states s
  window w as (partition by s.ticket_id order by s.number)
),
changed as (
  select
    l.*,
    (l.status, l.group_id, l.agent_id, l.priority)
      is distinct from (lag(l.status) over w, lag(l.group_id) over w, lag(l.agent_id) over w, lag(l.priority) over w)
      or row_number() over w = 1 as is_change
  from lasting l
  where l.is_last or l.next_at > l.at
  window w as (partition by l.ticket_id order by l.number)
),
event_periods as (
  select
    c.ticket_id, c.at as started_at, lead(c.at) over w as ended_at,
    c.status, c.group_id, c.agent_id, c.priority, c.evidence,
    row_number() over w as period,
    lag(c.status) over w as previous_status,
    lag(c.group_id) over w as previous_group_id,
    lag(c.agent_id) over w as previous_agent_id
  from changed c
  where c.is_change
  window w as (partition by c.ticket_id order by c.number)
),
-- A ticket without events has at most three periods, whose times are in `stats`.
stats_periods as (
  select
    t.ticket_id, p.started_at, p.ended_at, p.status, t.group_id, t.agent_id, t.priority, 'stats' as evidence,
    p.period, p.previous_status, t.group_id as previous_group_id, t.agent_id as previous_agent_id
  from tickets t
  cross join lateral (
    select
      case when t.status_since is null or (not t.is_resolved and t.status_since <= t.created_at + interval '5 seconds')
        then t.created_at else greatest(t.status_since, t.created_at) end as last_from,
      case when t.status = 5 and t.stats_resolved_at > t.created_at and t.stats_resolved_at < t.status_since
        then t.stats_resolved_at end as resolved_from
  ) f
  cross join lateral (
    select 1 as period, t.created_at as started_at, coalesce(f.resolved_from, f.last_from) as ended_at,
      null::bigint as status, null::bigint as previous_status
    where f.last_from > t.created_at
    union all
    select 2, f.resolved_from, f.last_from, 4, null
    where f.resolved_from is not null
    union all
    select
      1 + (f.last_from > t.created_at)::integer + (f.resolved_from is not null)::integer,
      f.last_from, null, t.status, case when f.resolved_from is not null then 4 end
  ) p
  where t.ticket_id not in (select k.ticket_id from known k)
),
periods as (
  select * from event_periods
  union all
  select
    s.ticket_id, s.started_at, s.ended_at, s.status, s.group_id, s.agent_id, s.priority, s.evidence,
    s.period, s.previous_status, s.previous_group_id, s.previous_agent_id
  from stats_periods s
),
measured as (
  select
    p.*,
    coalesce(g.schedule_id, a.default_schedule_id) as schedule_id,
    a.time_zone,
    coalesce(s.is_resolved, false) as is_resolved,
    s.stops_sla_timer,
    coalesce(ps.is_resolved, false) as was_resolved,
    t.source,
    t.created_at,
    not (t.is_spam or t.is_deleted or m.ticket_id is not null) as is_counted
  from periods p
  join tickets t on t.ticket_id = p.ticket_id
  cross join {{ ref('account') }} a
  left join {{ ref('group_schedules') }} g on g.group_id = p.group_id
  left join {{ ref('ticket_statuses') }} s on s.status = p.status
  left join {{ ref('ticket_statuses') }} ps on ps.status = p.previous_status
  left join {{ ref('ticket_merges') }} m on m.ticket_id = p.ticket_id
),
with_business_time as (
  select
    m.*,
    case when m.ended_at is not null and m.schedule_id is not null then
      {{ open_time_before('e', 'm.schedule_id', 'm.ended_at') }} - {{ open_time_before('s', 'm.schedule_id',
        'm.started_at') }}
    end as business_time
  from measured m
  {{ business_day('s', 'm.schedule_id', 'm.started_at') }}
  {{ business_day('e', 'm.schedule_id', 'm.ended_at') }}
  -- Without this clause, PostgreSQL would compute business_time once for each use.
  offset 0
)
select
  b.ticket_id::bigint as ticket_id,
  b.period::integer as period,
  b.status::bigint as status,
  b.group_id::bigint as group_id,
  b.agent_id::bigint as agent_id,
  b.priority::bigint as priority,
  b.started_at::timestamptz as started_at,
  b.ended_at::timestamptz as ended_at,
  {{ minutes_of('b.ended_at - b.started_at') }}::numeric as minutes,
  {{ minutes_of('b.business_time') }}::numeric as business_minutes,
  b.business_time::interval as business_time,
  b.schedule_id::bigint as schedule_id,
  b.is_resolved::boolean as is_resolved,
  b.stops_sla_timer::boolean as stops_sla_timer,
  (b.period = 1)::boolean as is_creation,
  (b.is_resolved and not b.was_resolved)::boolean as is_resolution,
  (b.was_resolved and not b.is_resolved)::boolean as is_reopening,
  (b.agent_id is not null and (b.period = 1 or b.agent_id is distinct from b.previous_agent_id))::boolean
    as is_assignment,
  (b.period = 1 or b.group_id is distinct from b.previous_group_id)::boolean as is_group_change,
  b.evidence::text as evidence,
  (b.started_at at time zone b.time_zone)::date as started_day,
  coalesce((b.ended_at at time zone b.time_zone)::date, 'infinity')::date as ended_day,
  b.source::bigint as source,
  (b.created_at at time zone b.time_zone)::date as created_day,
  b.is_counted::boolean as is_counted
from with_business_time b
