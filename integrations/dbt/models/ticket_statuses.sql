/*
description: >-
  The statuses of tickets and what they mean for durations. Statuses 4 (Resolved) and 5 (Closed) are
  resolved. Status 3 (Pending) and each status whose choice has stop_sla_timer stop the clock. The
  API does not tell which custom statuses count as resolved, so the table ticket_status_settings
  overrides both properties.
grain: one row for each status
materialized: table
affects_tickets: true
key: [status]
columns:
  status:
    type: bigint
    description: Number of the status, as in tickets.status.
  label:
    type: text
    description: Name of the status for agents.
  is_resolved:
    type: boolean
    description: The status counts as resolved.
  stops_sla_timer:
    type: boolean
    description: The clock of SLA targets is stopped while a ticket has the status.
*/
with choices as (
  select f.choices
  from {{ source_table('ticket_fields') }} f
  where f._freshet_deleted_at is null and (f.type = 'default_status' or f.name = 'status')
),
-- The choices of the field are an object of labels by number, or an array of objects.
choice_rows as (
  select
    e.key as id_text,
    case when jsonb_typeof(e.value) = 'array' then e.value ->> 0 when jsonb_typeof(e.value) = 'string' then e.value #>> '{}'
      else coalesce(e.value ->> 'label', e.value ->> 'value') end as label,
    case when jsonb_typeof(e.value) = 'object' then e.value -> 'stop_sla_timer' end as stops
  from choices c
  cross join lateral jsonb_each(case when jsonb_typeof(c.choices) = 'object' then c.choices else '{}' end) e
  union all
  select
    coalesce(
      case when jsonb_typeof(e.value -> 'id') = 'number' then e.value ->> 'id' end,
      e.value ->> 'value'
    ),
    coalesce(e.value ->> 'label', e.value ->> 'value'),
    e.value -> 'stop_sla_timer'
  from choices c
  cross join lateral jsonb_array_elements(case when jsonb_typeof(c.choices) = 'array' then c.choices else '[]' end) e (value)
  where jsonb_typeof(e.value) = 'object'
),
known as (
  select 1 as priority, id_text::bigint as status, label, stops = 'true'::jsonb as stops
  from choice_rows
  where id_text ~ '^[0-9]{1,18}$'
  union all
  select 2, s.id, s.label, s.stop_sla_timer
  from {{ source_table('ticket_statuses') }} s
  where s._freshet_deleted_at is null
  union all
  select 3, v.status, v.label, null
  from (values (2, 'Open'), (3, 'Pending'), (4, 'Resolved'), (5, 'Closed')) v (status, label)
  union all
  select 4, o.status, null, null
  from {{ source_table('ticket_status_settings') }} o
),
merged as (
  select
    k.status,
    coalesce(
      (array_agg(k.label order by k.priority) filter (where k.label is not null))[1], 'Status ' || k.status
    ) as label,
    bool_or(k.stops) as stops
  from known k
  where k.status is not null
  group by k.status
)
select
  m.status::bigint as status,
  m.label::text as label,
  coalesce(o.is_resolved, m.status in (4, 5))::boolean as is_resolved,
  (coalesce(o.stops_sla_timer, m.status = 3 or m.stops is true) and not coalesce(o.is_resolved, m.status in (4,
    5)))::boolean
    as stops_sla_timer
from merged m
left join {{ source_table('ticket_status_settings') }} o on o.status = m.status
