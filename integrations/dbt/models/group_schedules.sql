/*
description: The calendar of business hours of each group.
grain: one row for each group
materialized: table
affects_tickets: true
internal: true
key: [group_id]
columns:
  group_id:
    type: bigint
    description: Group.
  name:
    type: text
    description: Name of the group, which the export of activities uses instead of the id.
  schedule_id:
    type: bigint
    description: >-
      Calendar of the group. If the group has none, or a calendar that does not exist, the default
      calendar of the account.
*/
select
  g.id::bigint as group_id,
  g.name::text as name,
  coalesce(
    (
      select b.id from {{ source_table('business_hours') }} b
      where b.id = g.business_hour_id and b._freshet_deleted_at is null
    ),
    a.default_schedule_id
  )::bigint as schedule_id
from {{ source_table('groups') }} g
cross join {{ ref('account') }} a
