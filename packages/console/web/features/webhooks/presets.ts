/** The kinds of receivers that the console offers, with their templates. */
import type { Schemas } from '../../api/client.ts';

export type PresetName = 'slack' | 'pagerduty' | 'mail' | 'http';

export interface Preset {
  readonly label: string;
  readonly urlLabel: string;
  readonly urlPlaceholder: string;
  readonly description: string;
  /** The URL that a new webhook starts with. */
  readonly url: string;
  /** The body of requests. Null: the event itself. */
  readonly template: NonNullable<Schemas['WebhookInput']['template']> | null;
  /** The label of the secret that the template contains. Null: it contains none. */
  readonly secretLabel: string | null;
}

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  slack: {
    label: 'Slack',
    urlLabel: 'URL',
    urlPlaceholder: 'https://hooks.slack.com/services/{{secret}}',
    url: 'https://hooks.slack.com/services/{{secret}}',
    description:
      'In Slack, add the app “Incoming Webhooks” to a channel. Enter the part of its URL after /services/ as the secret: Freshet stores it encrypted.',
    template: { text: '{{summary}}' },
    secretLabel: 'Secret part of the URL',
  },
  pagerduty: {
    label: 'PagerDuty',
    urlLabel: 'Events API URL',
    urlPlaceholder: 'https://events.pagerduty.com/v2/enqueue',
    url: 'https://events.pagerduty.com/v2/enqueue',
    description: 'In PagerDuty, add the integration “Events API v2” to a service, and copy the integration key.',
    template: {
      routing_key: '{{secret}}',
      event_action: 'trigger',
      dedup_key: '{{id}}',
      payload: { summary: '{{summary}}', severity: '{{severity}}', source: 'freshet', custom_details: '{{data}}' },
    },
    secretLabel: 'Integration key',
  },
  mail: {
    label: 'Email',
    urlLabel: 'Addresses',
    urlPlaceholder: 'mailto:ops@example.com',
    url: 'mailto:',
    description: 'Separate several addresses with commas. The deployment must have an SMTP server.',
    template: null,
    secretLabel: null,
  },
  http: {
    label: 'HTTP',
    urlLabel: 'URL',
    urlPlaceholder: 'https://example.com/freshet',
    url: '',
    description: 'Freshet sends each event as a signed POST request. See the API guide for the signature.',
    template: null,
    secretLabel: null,
  },
};

/** The events that a new alert is sent for. */
export const ALERT_EVENTS: readonly Schemas['EventType'][] = [
  'run.failed',
  'run.partial',
  'object.failed',
  'credential.refused',
  'freshness.missed',
  'freshness.restored',
  'records.rejected',
  'job.died',
];

export const EVENTS: Readonly<Record<Schemas['EventType'], string>> = {
  'run.succeeded': 'A run has succeeded',
  'run.partial': 'A run is incomplete',
  'run.failed': 'A run has failed',
  'object.failed': 'An object has failed',
  'schema.changed': 'A table has changed',
  'records.rejected': 'Records were rejected',
  'records.digest': 'Summary of rejected records',
  'records.spiked': 'A sync read unusually many records',
  'quota.reached': 'A monthly quota is reached',
  'credential.refused': 'An API key or a password is refused',
  'erasure.completed': 'An erasure has finished',
  'erasure.failed': 'An erasure has failed',
  'freshness.missed': 'A table is later than its objective',
  'freshness.restored': 'A table is current again',
  'job.died': 'A job has failed permanently',
  'analytics.failed': 'The analytics models could not be refreshed',
  'webhook.disabled': 'A webhook was disabled',
  'webhook.test': 'A test',
};
