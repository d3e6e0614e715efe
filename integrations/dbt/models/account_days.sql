/*
description: The days of the account, from the year of the oldest ticket until today.
grain: one row for each day
materialized: table
internal: true
key: [day]
columns:
  day: {type: date, description: Day in the time zone of the account.}
*/
select (b.first_day + n)::date as day
from (
  select
    coalesce(
      {{ var('first_day') }}::date,
      (select date_trunc('year', min(coalesce(t.created_at, t.updated_at)))::date from {{ source_table('tickets') }} t),
      date_trunc('year', now())::date
    ) - 2 as first_day,
    (now() at time zone (select a.time_zone from {{ ref('account') }} a))::date as last_day
) b
cross join lateral generate_series(0, b.last_day - b.first_day) n
