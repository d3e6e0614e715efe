import { Type } from 'typebox';
import { defineSchema } from '../../http/schemas.ts';

const ticketId = Type.Optional(
  Type.Union([Type.String(), Type.Integer()], {
    description: 'The id of the ticket. In an automation rule, `{{ticket.id}}`.',
    examples: ['4711'],
  }),
);

export const FreshdeskWebhookPayload = defineSchema(
  'FreshdeskWebhookPayload',
  Type.Object(
    {
      ticket_id: ticketId,
      freshdesk_webhook: Type.Optional(
        Type.Object(
          { ticket_id: ticketId },
          {
            description:
              'The JSON object in which Freshdesk wraps the selected properties if the automation rule does not define its own content. All properties except the id are ignored.',
          },
        ),
      ),
    },
    { description: 'The content that a Freshdesk automation rule sends to a webhook.' },
  ),
);
