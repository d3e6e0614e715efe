/*
description: >-
  Everything that limits the models: time zones that the server does not know, calendars that cannot
  be read, tables that the pipeline does not fill and ratings with unknown codes.
grain: one row for each warning
materialized: table
key: [kind, subject]
columns:
  kind:
    type: text
    accepted_values: [unknown_time_zone, unknown_hours, missing_table, unknown_rating]
    description: >-
      Kind of the warning: unknown_time_zone, unknown_hours, missing_table or unknown_rating.
  subject: {type: text, description: "Calendar, table or rating that the warning concerns."}
  message: {type: text, description: Cause and remedy.}
*/
select
  'unknown_time_zone'::text as kind,
  'account'::text as subject,
  (case when a.requested_time_zone is null
    then 'The account has no default calendar of business hours. Days begin in UTC. Set the analytics time zone of the pipeline.'
    else 'The server does not know the time zone "' || a.requested_time_zone || '" of the account. Days begin in '
      || a.time_zone || '. Set the analytics time zone of the pipeline to an IANA name.'
  end)::text as message
from {{ ref('account') }} a
where not a.is_time_zone_known
union all
select
  'unknown_time_zone', 'business_hours ' || v.schedule_id,
  'The server does not know the time zone "' || coalesce(min(v.requested_time_zone), '') || '" of the calendar "'
    || coalesce(min(v.name), '') || '". The time zone of the account applies. Correct the time zone in Freshdesk.'
from {{ ref('schedule_versions') }} v
where not v.is_time_zone_known
group by v.schedule_id
union all
select
  'unknown_hours', 'business_hours ' || v.schedule_id || ' ' || e.key,
  'The hours "' || coalesce(e.value ->> 'start_time', '') || '" to "' || coalesce(e.value ->> 'end_time', '')
    || '" are not times. The day counts as closed. Correct the hours in Freshdesk.'
from {{ ref('schedule_versions') }} v
cross join lateral jsonb_each(case when jsonb_typeof(v.hours) = 'object' then v.hours else '{}' end) e
where v.valid_to = 'infinity' and not (
  lower(e.key) in ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
  and {{ is_clock_time("e.value ->> 'start_time'") }} and {{ is_clock_time("e.value ->> 'end_time'") }}
)
union all
select
  'missing_table', t.name,
  'The table ' || t.name || ' does not exist. ' || t.effect || ' Add the object ' || t.name || ' to the pipeline.'
from (
  values
    ('conversations', {{ source_exists('conversations') }}, 'Responses and messages are not known.'),
    ('business_hours', {{ source_exists('business_hours') }}, 'Business durations are null.'),
    ('groups', {{ source_exists('groups') }}, 'All groups use the default calendar.'),
    ('ticket_activities', {{ source_exists('ticket_activities') }} or {{ source_exists('tickets_history') }},
      'Past changes of tickets are not known.')
) t (name, is_present, effect)
where not t.is_present
union all
select
  'unknown_rating', 'satisfaction_ratings',
  count(*) || ' ratings have a code that is not between -103 and 103. Their score is null.'
from {{ ref('ticket_ratings') }} r
where r.score is null
having count(*) > 0
