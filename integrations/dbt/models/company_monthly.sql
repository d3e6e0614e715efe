/*
description: >-
  The tickets of each company in each month of the account. Spam, deleted and merged tickets do not
  count. Tickets without a company have no row.
grain: one row for each company and month
materialized: incremental
refresh: month
key: [month, company_id]
columns:
  month: {type: date, description: First day of the month in the time zone of the account., not_null: true}
  company_id: {type: bigint, description: Company., not_null: true}
  created: {type: bigint, description: Number of tickets that were created.}
  resolved: {type: bigint, description: Number of changes to a resolved status.}
  first_responses: {type: bigint, description: Number of first agent responses.}
  first_response_minutes_median:
    type: numeric
    description: >-
      Median of first_response_minutes of the tickets with their first response in this month.
  first_response_minutes_mean: {type: numeric, description: Mean of the same durations.}
  first_response_minutes_business_median:
    type: numeric
    description: >-
      Median of the same durations, in business time.
  first_response_minutes_business_mean:
    type: numeric
    description: >-
      Mean of the same durations, in business time.
  csat_ratings: {type: bigint, description: Number of ratings with a known score.}
  csat_positive: {type: bigint, description: Number of ratings with a score greater than zero.}
  csat_percent:
    type: numeric
    description: >-
      Percentage of positive ratings, rounded to two decimals.
*/
with transitions as (
  select
    date_trunc('month', p.started_day)::date as month, m.company_id,
    count(*) filter (where p.is_creation) as created,
    count(*) filter (where p.is_resolution) as resolved
  from {{ ref('ticket_status_periods') }} p
  join {{ ref('ticket_metrics') }} m on m.ticket_id = p.ticket_id
  where p.is_counted and m.company_id is not null and (p.is_creation or p.is_resolution)
    and {{ changed_days('p.started_day') }}
  group by 1, 2
),
first_responses as (
  select
    date_trunc('month', m.first_response_day)::date as month, m.company_id,
    count(*) as first_responses,
    percentile_cont(0.5) within group (order by m.first_response_minutes) as median,
    avg(m.first_response_minutes) as mean,
    percentile_cont(0.5) within group (order by m.first_response_minutes_business) as business_median,
    avg(m.first_response_minutes_business) as business_mean
  from {{ ref('ticket_metrics') }} m
  where m.is_counted and m.company_id is not null and m.first_response_day is not null
    and {{ changed_days('m.first_response_day') }}
  group by 1, 2
),
ratings as (
  select
    date_trunc('month', r.day)::date as month, m.company_id,
    count(*) as csat_ratings,
    count(*) filter (where r.score > 0) as csat_positive
  from {{ ref('ticket_ratings') }} r
  join {{ ref('ticket_metrics') }} m on m.ticket_id = r.ticket_id
  where m.is_counted and m.company_id is not null and r.score is not null and {{ changed_days('r.day') }}
  group by 1, 2
),
keys as (
  select month, company_id from transitions
  union
  select month, company_id from first_responses
  union
  select month, company_id from ratings
)
select
  k.month::date as month,
  k.company_id::bigint as company_id,
  coalesce(t.created, 0)::bigint as created,
  coalesce(t.resolved, 0)::bigint as resolved,
  coalesce(f.first_responses, 0)::bigint as first_responses,
  round(f.median::numeric, 4)::numeric as first_response_minutes_median,
  round(f.mean, 4)::numeric as first_response_minutes_mean,
  round(f.business_median::numeric, 4)::numeric as first_response_minutes_business_median,
  round(f.business_mean, 4)::numeric as first_response_minutes_business_mean,
  coalesce(r.csat_ratings, 0)::bigint as csat_ratings,
  coalesce(r.csat_positive, 0)::bigint as csat_positive,
  round(100.0 * r.csat_positive / nullif(r.csat_ratings, 0), 2)::numeric as csat_percent
from keys k
left join transitions t on t.month = k.month and t.company_id = k.company_id
left join first_responses f on f.month = k.month and f.company_id = k.company_id
left join ratings r on r.month = k.month and r.company_id = k.company_id
