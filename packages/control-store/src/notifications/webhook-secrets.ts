import { randomBytes } from 'node:crypto';

/**
 * Generates a signing secret as in the Standard Webhooks specification, which requires 24 to 64
 * random bytes.
 */
export function generateSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** Builds the associated data under which a secret of a webhook is sealed. */
export function buildWebhookAad(id: string, column: 'secret' | 'previous_secret' | 'template_secret'): string {
  return `webhooks/${id}/${column}`;
}
