/*
description: >-
  The versions of each calendar of business hours. Earlier versions are known if the pipeline stores
  the history of the object business_hours. Otherwise, the present hours apply at all times.
grain: one row for each calendar and version
materialized: table
affects_tickets: true
internal: true
key: [schedule_id, valid_from]
columns:
  schedule_id:
    type: bigint
    description: Calendar of business hours.
  valid_from:
    type: timestamptz
    description: Time from which the version applies. The first version applies since -infinity.
  valid_to:
    type: timestamptz
    description: Time until which the version applies. The last version applies until infinity.
  name:
    type: text
    description: Name of the calendar.
  time_zone:
    type: text
    description: IANA name of the time zone of the calendar.
  requested_time_zone:
    type: text
    description: Name of the time zone as Freshdesk states it.
  is_time_zone_known:
    type: boolean
    description: >-
      False if the server does not know the time zone. The time zone of the account then
      applies.
  hours:
    type: jsonb
    description: Weekday with its start_time and end_time, as Freshdesk states them.
  holidays:
    type: date[]
    description: Days without business hours, from the table business_holidays.
*/
with history as (
  select h.id, h.valid_from, h.name, h.time_zone, h.business_hours
  from {{ source_table('business_hours_history') }} h
  where h._freshet_deleted_at is null
),
versions as (
  select id, valid_from, name, time_zone, business_hours from history
  union all
  select b.id, '-infinity'::timestamptz, b.name, b.time_zone, b.business_hours
  from {{ source_table('business_hours') }} b
  where b._freshet_deleted_at is null and not exists (select from history h where h.id = b.id)
),
ordered as (
  select
    v.*,
    row_number() over w as number,
    lead(v.valid_from) over w as next_from
  from versions v
  window w as (partition by v.id order by v.valid_from)
),
zone_names as materialized (
  select lower(n.name) as key, min(n.name) as time_zone
  from pg_catalog.pg_timezone_names n
  where lower(n.name) in (select lower(v.time_zone) from versions v)
  group by 1
)
select
  o.id::bigint as schedule_id,
  case when o.number = 1 then '-infinity' else o.valid_from end::timestamptz as valid_from,
  coalesce(o.next_from, 'infinity')::timestamptz as valid_to,
  o.name::text as name,
  coalesce(z.time_zone, n.time_zone, a.time_zone)::text as time_zone,
  o.time_zone::text as requested_time_zone,
  (coalesce(z.time_zone, n.time_zone) is not null)::boolean as is_time_zone_known,
  coalesce(o.business_hours, '{}')::jsonb as hours,
  coalesce(
    (
      select array_agg(distinct d.day order by d.day)
      from {{ source_table('business_holidays') }} d
      where d.schedule_id is null or d.schedule_id = o.id
    ),
    '{}'
  )::date[] as holidays
from ordered o
cross join {{ ref('account') }} a
left join {{ ref('time_zones') }} z on lower(z.name) = lower(o.time_zone)
left join zone_names n on n.key = lower(o.time_zone)
