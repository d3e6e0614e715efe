/*
description: The settings of the account that the other models use.
grain: one row
materialized: table
affects_tickets: true
internal: true
key: [id]
columns:
  id:
    type: integer
    description: Always 1.
  time_zone:
    type: text
    description: IANA name of the time zone in which days begin.
  is_time_zone_known:
    type: boolean
    description: >-
      False if neither the setting of the pipeline nor a default calendar names a time zone, or if
      this server does not know the name.
  requested_time_zone:
    type: text
    description: Name of the time zone as the pipeline or the default calendar states it.
  default_schedule_id:
    type: bigint
    description: Default calendar of business hours, or null if the account has no calendar.
  activities_from:
    type: timestamptz
    description: >-
      Time from which the table ticket_activities is complete, or null if there are no
      activities.
*/
with calendars as (
  select b.id, b.time_zone, b.is_default
  from {{ source_table('business_hours') }} b
  where b._freshet_deleted_at is null
),
default_calendar as (
  select id, time_zone from calendars order by (is_default is true) desc, id limit 1
),
requested as (
  select 1 as priority, nullif({{ var('time_zone') }}::text, '') as name
  union all
  select 2, (select d.time_zone from default_calendar d)
),
resolved as (
  select
    (array_agg(r.name order by r.priority))[1] as name,
    (array_agg(r.time_zone order by r.priority))[1] as time_zone,
    (array_agg(r.time_zone order by r.priority) filter (where r.time_zone is not null))[1] as usable_time_zone
  from (
    select
      q.priority, q.name,
      coalesce(
        (select z.time_zone from {{ ref('time_zones') }} z where lower(z.name) = lower(q.name)),
        (select n.name from pg_catalog.pg_timezone_names n where lower(n.name) = lower(q.name) limit 1)
      ) as time_zone
    from requested q
    where q.name is not null
  ) r
)
select
  1::integer as id,
  coalesce(r.usable_time_zone, 'UTC')::text as time_zone,
  (r.time_zone is not null)::boolean as is_time_zone_known,
  r.name::text as requested_time_zone,
  (select d.id from default_calendar d)::bigint as default_schedule_id,
  coalesce(
    (
      select o.complete_back_to from {{ source_table('_freshet_objects') }} o
      where o.table_name = {{ var('table_prefix') }} || 'ticket_activities' and {{ source_exists('ticket_activities') }}
    ),
    (
      select least(min(a.day)::timestamp at time zone coalesce(r.usable_time_zone, 'UTC'), min(a.performed_at))
      from {{ source_table('ticket_activities') }} a
    )
  )::timestamptz as activities_from
from resolved r
