import { boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { buildSampleFields, FIELD_COLUMNS } from '../field-definitions.ts';

const STATUSES = {
  2: ['Open', 'Being Processed'],
  3: ['Pending', 'Awaiting your Reply'],
  6: ['Waiting on carrier', 'In transit'],
};
const SOURCES = { Email: 1, Portal: 2, Phone: 3, Chat: 7, 'Feedback Widget': 9, 'Branch office': 101 };

export const ticketFields = defineObject({
  name: 'ticket_fields',
  title: 'Ticket fields',
  description:
    'Definitions of ticket fields. The choices of the default fields hold the labels of statuses, priorities and sources.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  strategy: { kind: 'full-list' },
  typicalCount: 10,
  list: {
    defaultOrder: ['position', 'asc'],
    fixedRecords: buildSampleFields(84130000000, [
      { id: 1, name: 'subject', label: 'Subject', position: 1, type: 'default_subject' },
      { id: 2, name: 'status', label: 'Status', position: 2, type: 'default_status', choices: STATUSES },
      {
        id: 3,
        name: 'priority',
        label: 'Priority',
        position: 3,
        type: 'default_priority',
        choices: { Low: 1, Medium: 2, High: 3, Urgent: 4 },
      },
      { id: 11, name: 'source', label: 'Source', position: 3, type: 'default_source', choices: SOURCES },
      {
        id: 4,
        name: 'ticket_type',
        label: 'Type',
        position: 4,
        type: 'default_ticket_type',
        choices: ['Question', 'Incident', 'Problem', 'Refund'],
      },
      { id: 5, name: 'cf_reference_number', label: 'Reference number', position: 5, type: 'custom_text' },
      {
        id: 6,
        name: 'cf_issue_type',
        label: 'Issue',
        position: 6,
        type: 'nested_field',
        choices: [{ Billing: [{ Invoice: ['Missing', 'Wrong'] }] }, { Shipping: [] }],
      },
      { id: 7, name: 'cf_amount', label: 'Amount', position: 7, type: 'custom_decimal' },
      { id: 8, name: 'cf_paid', label: 'Paid', position: 8, type: 'custom_checkbox' },
      { id: 9, name: 'cf_delivery_date', label: 'Delivery date', position: 9, type: 'custom_date' },
      { id: 10, name: 'cf_boxes', label: 'Boxes', position: 10, type: 'custom_number' },
    ]),
  },
  columns: {
    ...FIELD_COLUMNS,
    label_for_customers: text('Label for customers.', { nullable: true, optional: true }),
    required_for_customers: boolean('Customers must fill in the field.', { optional: true }),
    customers_can_edit: boolean('Customers can edit the field.', { optional: true }),
    displayed_to_customers: boolean('Customers can see the field.', { optional: true }),
    customers_can_filter: boolean('Customers can filter by the field.', { optional: true }),
    required_for_closure: boolean('Agents must fill in the field before they close a ticket.', { optional: true }),
    nested_ticket_fields: jsonb('Lower levels of a dependent field.', { nullable: true, optional: true }),
    portal_cc: boolean('Requester field only: customers can add CC recipients.', { nullable: true, optional: true }),
    portal_cc_to: text('Requester field only: the people whom customers can add as CC recipients.', {
      nullable: true,
      optional: true,
    }),
    ...TIMESTAMPS,
  },
});
