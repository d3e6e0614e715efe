import type { EventType } from '@freshet/contracts';

type Data = Readonly<Record<string, unknown>>;
export type Severity = 'info' | 'warning' | 'error';

/** The parts of an event that notifications contain. */
export interface Message {
  readonly id: string;
  readonly type: EventType;
  readonly at: Date;
  readonly data: Data;
}

interface MessageFormat {
  readonly severity: Severity;
  /** Returns one sentence, with or without its final period. */
  readonly format: (data: Data) => string;
}

const get = (data: Data, field: string) => String(data[field] ?? '');
const getError = (data: Data) => (data['error'] as { readonly message?: string } | undefined)?.message ?? '';
const notePause = (data: Data) => (data['paused'] === true ? '. The pipeline is paused' : '');

const FORMATS: Readonly<Record<EventType, MessageFormat>> = {
  'run.succeeded': {
    severity: 'info',
    format: (d) => `Run ${get(d, 'run_id')} succeeded: ${get(d, 'records_loaded')} records loaded`,
  },
  'run.partial': {
    severity: 'warning',
    format: (d) => `Run ${get(d, 'run_id')} finished with status partial: some of its objects did not succeed`,
  },
  'run.failed': { severity: 'error', format: (d) => `Run ${get(d, 'run_id')} failed` },
  'object.failed': {
    severity: 'error',
    format: (d) => `Synchronization of ${get(d, 'object')} failed: ${getError(d)}`,
  },
  'schema.changed': { severity: 'info', format: (d) => `The schema of ${get(d, 'object')} changed` },
  'records.rejected': {
    severity: 'warning',
    format: (d) => `${get(d, 'records')} records of ${get(d, 'object')} were rejected`,
  },
  'records.digest': {
    severity: 'warning',
    format: (d) => `${get(d, 'records')} rejected records are waiting to be replayed or discarded`,
  },
  'records.spiked': {
    severity: 'warning',
    format: (d) =>
      `A run of pipeline ${get(d, 'pipeline_id')} extracted ${get(d, 'records_extracted')} records, but a typical run extracts ${get(d, 'usual')}${notePause(d)}`,
  },
  'quota.reached': {
    severity: 'warning',
    format: (d) =>
      `Pipeline ${get(d, 'pipeline_id')} has used ${get(d, 'percent')} % of its quota of ${get(d, 'quota')} records for ${get(d, 'month')}${notePause(d)}`,
  },
  'credential.refused': {
    severity: 'error',
    format: (d) => `Freshdesk rejected the API key of pipeline ${get(d, 'pipeline_id')}: ${getError(d)}`,
  },
  'freshness.missed': {
    severity: 'warning',
    format: (d) =>
      `Pipeline ${get(d, 'pipeline_id')}: the object ${get(d, 'object')} misses its freshness target of ${get(d, 'max_staleness_minutes')} minutes`,
  },
  'freshness.restored': {
    severity: 'info',
    format: (d) => `Pipeline ${get(d, 'pipeline_id')}: the object ${get(d, 'object')} meets its freshness target again`,
  },
  'erasure.completed': { severity: 'info', format: (d) => `Erasure ${get(d, 'erasure_id')} completed` },
  'erasure.failed': { severity: 'error', format: (d) => `Erasure ${get(d, 'erasure_id')} failed: ${getError(d)}` },
  'analytics.failed': {
    severity: 'error',
    format: (d) => `Pipeline ${get(d, 'pipeline_id')}: the analytics models could not be refreshed: ${getError(d)}`,
  },
  'job.died': {
    severity: 'error',
    format: (d) =>
      `A job in the queue ${get(d, 'queue')} failed permanently after ${get(d, 'attempts')} attempts: ${get(d, 'reason')}`,
  },
  'webhook.disabled': {
    severity: 'warning',
    format: (d) => `The webhook "${get(d, 'name')}" was disabled: ${get(d, 'reason')}`,
  },
  'webhook.test': { severity: 'info', format: (d) => `Test event for the webhook "${get(d, 'name')}"` },
};

export function getSeverity({ type }: Message): Severity {
  return FORMATS[type].severity;
}

/** Returns a sentence that summarizes the event for people. */
export function getSummary({ type, data }: Message): string {
  const sentence = FORMATS[type].format(data);
  // An error message at the end of the sentence already ends with a period.
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}

/**
 * Replaces the placeholders `{{…}}` in all strings of a receiver's template. An unknown placeholder
 * stays unchanged, so that the author of the template notices the error.
 * @param secret the value of `{{secret}}`; null: the webhook has none.
 */
export function renderTemplate(template: unknown, message: Message, secret: string | null): unknown {
  if (typeof template === 'string') return renderString(template, message, secret);
  if (Array.isArray(template)) return template.map((item) => renderTemplate(item, message, secret));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => [name, renderTemplate(value, message, secret)]),
  );
}

function renderString(template: string, message: Message, secret: string | null): unknown {
  // A string that consists only of `{{data}}` is replaced with the JSON object, not with its text.
  if (template === '{{data}}') return message.data;
  return template.replaceAll(/\{\{([a-z_.]+)\}\}/g, (placeholder, name: string) => {
    const value = resolvePlaceholder(name, message, secret);
    if (value === undefined) return placeholder;
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** Returns undefined for an unknown placeholder. */
function resolvePlaceholder(name: string, message: Message, secret: string | null): unknown {
  if (name === 'secret') return secret ?? undefined;
  if (name === 'summary') return getSummary(message);
  if (name === 'severity') return getSeverity(message);
  if (name === 'timestamp') return message.at.toISOString();
  if (name === 'type' || name === 'id' || name === 'data') return message[name];
  const [first, ...path] = name.split('.');
  if (first !== 'data') return undefined;
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Data)[key] : undefined,
    message.data,
  );
}
