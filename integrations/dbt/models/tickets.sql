/*
description: >-
  Tickets with the names of everything that they refer to. The view reads the table of the pipeline,
  so it shows each change as soon as it is loaded. Custom fields have the names and types of the
  table.
grain: one row for each ticket
materialized: view
key: [id]
custom_fields: tickets
columns:
  id: {type: bigint, description: Ticket number.}
  subject: {type: text, description: Subject line.}
  type: {type: text, description: Type of the ticket.}
  status: {type: bigint, description: Number of the status.}
  status_label: {type: text, description: Name of the status for agents.}
  priority: {type: bigint, description: Number of the priority.}
  priority_label: {type: text, description: Name of the priority.}
  source: {type: bigint, description: Number of the channel through which the ticket was created.}
  source_label: {type: text, description: Name of the channel.}
  agent_id: {type: bigint, description: "Assigned agent, or null."}
  agent_name: {type: text, description: Name of the assigned agent.}
  group_id: {type: bigint, description: "Assigned group, or null."}
  group_name: {type: text, description: Name of the assigned group.}
  requester_id: {type: bigint, description: Contact who requested support.}
  requester_name: {type: text, description: Name of the requester.}
  company_id: {type: bigint, description: "Company of the requester, or null."}
  company_name: {type: text, description: Name of the company.}
  product_id: {type: bigint, description: "Product, or null."}
  product_name: {type: text, description: Name of the product.}
  tags: {type: "text[]", description: Tags in the order in which Freshdesk returns them.}
  created_at: {type: timestamptz, description: Creation time.}
  updated_at: {type: timestamptz, description: Time of the last update.}
  due_by: {type: timestamptz, description: Time by which the resolution is due.}
  fr_due_by: {type: timestamptz, description: Time by which the first response is due.}
  nr_due_by: {type: timestamptz, description: Time by which the next response is due.}
  first_responded_at:
    type: timestamptz
    description: >-
      Time of the first response according to Freshdesk.
  agent_responded_at:
    type: timestamptz
    description: >-
      Time of the last agent response according to Freshdesk.
  requester_responded_at:
    type: timestamptz
    description: >-
      Time of the last customer response according to Freshdesk.
  status_updated_at:
    type: timestamptz
    description: >-
      Time of the last change of the status according to Freshdesk.
  reopened_at: {type: timestamptz, description: Time of the last reopening according to Freshdesk.}
  resolved_at: {type: timestamptz, description: Time of the resolution according to Freshdesk.}
  closed_at: {type: timestamptz, description: Time of the closure according to Freshdesk.}
  pending_since:
    type: timestamptz
    description: >-
      Time since which the ticket is pending according to Freshdesk.
  is_resolved: {type: boolean, description: The status counts as resolved.}
  is_merged:
    type: boolean
    description: >-
      The ticket was merged into another ticket. Current as of the last refresh of the models.
  is_spam: {type: boolean, description: The ticket is marked as spam.}
  is_deleted: {type: boolean, description: The ticket is in the trash or no longer exists.}
  is_outbound: {type: boolean, description: The ticket was created by an outbound email.}
  is_archived: {type: boolean, description: The ticket is in the archive of Freshdesk.}
*/
select
  t.id::bigint as id,
  t.subject::text as subject,
  t.type::text as type,
  t.status::bigint as status,
  s.label::text as status_label,
  t.priority::bigint as priority,
  coalesce(
    p.label, case t.priority when 1 then 'Low' when 2 then 'Medium' when 3 then 'High' when 4 then 'Urgent' end
  )::text as priority_label,
  t.source::bigint as source,
  coalesce(
    o.label,
    case t.source
      when 1 then 'Email' when 2 then 'Portal' when 3 then 'Phone' when 4 then 'Forum' when 5 then 'Twitter'
      when 6 then 'Facebook' when 7 then 'Chat' when 9 then 'Feedback Widget' when 10 then 'Outbound Email'
      when 13 then 'WhatsApp'
    end
  )::text as source_label,
  t.responder_id::bigint as agent_id,
  (a.contact ->> 'name')::text as agent_name,
  t.group_id::bigint as group_id,
  g.name::text as group_name,
  t.requester_id::bigint as requester_id,
  coalesce(c.name, ra.contact ->> 'name')::text as requester_name,
  t.company_id::bigint as company_id,
  k.name::text as company_name,
  t.product_id::bigint as product_id,
  d.name::text as product_name,
  case when jsonb_typeof(t.tags) = 'array' then array(select jsonb_array_elements_text(t.tags)) else '{}' end::text[]
    as tags,
  t.created_at::timestamptz as created_at,
  t.updated_at::timestamptz as updated_at,
  t.due_by::timestamptz as due_by,
  t.fr_due_by::timestamptz as fr_due_by,
  t.nr_due_by::timestamptz as nr_due_by,
  {{ stats_time('t', 'first_responded_at') }}::timestamptz as first_responded_at,
  {{ stats_time('t', 'agent_responded_at') }}::timestamptz as agent_responded_at,
  {{ stats_time('t', 'requester_responded_at') }}::timestamptz
    as requester_responded_at,
  {{ stats_time('t', 'status_updated_at') }}::timestamptz as status_updated_at,
  {{ stats_time('t', 'reopened_at') }}::timestamptz as reopened_at,
  {{ stats_time('t', 'resolved_at') }}::timestamptz as resolved_at,
  {{ stats_time('t', 'closed_at') }}::timestamptz as closed_at,
  {{ stats_time('t', 'pending_since') }}::timestamptz as pending_since,
  coalesce(s.is_resolved, false)::boolean as is_resolved,
  exists (select from {{ ref('ticket_merges') }} m where m.ticket_id = t.id)::boolean as is_merged,
  (t.spam is true or t._freshet_delete_kind is not distinct from 'spam')::boolean as is_spam,
  (
    t.deleted is true or (t._freshet_deleted_at is not null and t._freshet_delete_kind is distinct from 'spam')
  )::boolean as is_deleted,
  (t.source is not distinct from 10)::boolean as is_outbound,
  (t.archived is true)::boolean as is_archived
  {{ custom_field_columns('tickets', 't') }}
from {{ source_table('tickets') }} t
left join {{ ref('ticket_statuses') }} s on s.status = t.status
left join {{ source_table('ticket_priorities') }} p on p.id = t.priority
left join {{ source_table('ticket_sources') }} o on o.id = t.source
left join {{ source_table('agents') }} a on a.id = t.responder_id
left join {{ source_table('groups') }} g on g.id = t.group_id
left join {{ source_table('contacts') }} c on c.id = t.requester_id
left join {{ source_table('agents') }} ra on ra.id = t.requester_id
left join {{ source_table('companies') }} k on k.id = t.company_id
left join {{ source_table('products') }} d on d.id = t.product_id
