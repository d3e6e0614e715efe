/*
description: >-
  The fields of tickets on which durations and counts are based, with the flags of tickets that do not
  count.
grain: one row for each ticket
materialized: view
internal: true
key: [ticket_id]
columns:
  ticket_id: {type: bigint, description: Ticket.}
  created_at: {type: timestamptz, description: Creation time.}
  updated_at: {type: timestamptz, description: Time of the last update.}
  status: {type: bigint, description: Current status.}
  priority: {type: bigint, description: Current priority.}
  source: {type: bigint, description: Channel through which the ticket was created.}
  group_id: {type: bigint, description: Current group.}
  agent_id: {type: bigint, description: Current agent.}
  requester_id: {type: bigint, description: Contact who requested support.}
  company_id: {type: bigint, description: Company of the requester.}
  product_id: {type: bigint, description: Product.}
  first_response_due_at: {type: timestamptz, description: Time by which the first response is due.}
  next_response_due_at: {type: timestamptz, description: Time by which the next response is due.}
  resolution_due_at: {type: timestamptz, description: Time by which the resolution is due.}
  stats_first_responded_at:
    type: timestamptz
    description: >-
      Time of the first response according to Freshdesk.
  stats_status_updated_at:
    type: timestamptz
    description: >-
      Time of the last change of the status according to Freshdesk.
  stats_reopened_at:
    type: timestamptz
    description: >-
      Time of the last reopening according to Freshdesk.
  stats_resolved_at:
    type: timestamptz
    description: >-
      Time of the resolution according to Freshdesk.
  stats_closed_at: {type: timestamptz, description: Time of the closure according to Freshdesk.}
  is_outbound: {type: boolean, description: The ticket was created by an outbound email.}
  is_spam: {type: boolean, description: The ticket is marked as spam.}
  is_deleted: {type: boolean, description: The ticket is in the trash or no longer exists.}
*/
select
  t.id::bigint as ticket_id,
  coalesce(t.created_at, t.updated_at, t._freshet_extracted_at)::timestamptz as created_at,
  coalesce(t.updated_at, t._freshet_extracted_at)::timestamptz as updated_at,
  t.status::bigint as status,
  t.priority::bigint as priority,
  t.source::bigint as source,
  t.group_id::bigint as group_id,
  t.responder_id::bigint as agent_id,
  t.requester_id::bigint as requester_id,
  t.company_id::bigint as company_id,
  t.product_id::bigint as product_id,
  t.fr_due_by::timestamptz as first_response_due_at,
  t.nr_due_by::timestamptz as next_response_due_at,
  t.due_by::timestamptz as resolution_due_at,
  {{ stats_time('t', 'first_responded_at') }}::timestamptz
    as stats_first_responded_at,
  {{ stats_time('t', 'status_updated_at') }}::timestamptz
    as stats_status_updated_at,
  {{ stats_time('t', 'reopened_at') }}::timestamptz as stats_reopened_at,
  {{ stats_time('t', 'resolved_at') }}::timestamptz as stats_resolved_at,
  {{ stats_time('t', 'closed_at') }}::timestamptz as stats_closed_at,
  (t.source is not distinct from 10)::boolean as is_outbound,
  (t.spam is true or t._freshet_delete_kind is not distinct from 'spam')::boolean as is_spam,
  (
    t.deleted is true
    or (t._freshet_deleted_at is not null and t._freshet_delete_kind is distinct from 'spam')
  )::boolean as is_deleted
from {{ source_table('tickets') }} t
