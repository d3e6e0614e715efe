import type { EventType } from '@freshet/contracts';

type Data = Readonly<Record<string, unknown>>;
export type Severity = 'info' | 'warning' | 'error';

interface Saying {
  readonly severity: Severity;
  /** One sentence, without a full stop. */
  readonly say: (data: Data) => string;
}

const of = (data: Data, name: string) => String(data[name] ?? '');
const errorOf = (data: Data) => (data['error'] as { readonly message?: string } | undefined)?.message ?? '';
const pausedIf = (data: Data) => (data['paused'] === true ? '; it is paused' : '');

/** What each event comes to, for people. */
const SAYINGS: Readonly<Record<EventType, Saying>> = {
  'run.succeeded': {
    severity: 'info',
    say: (d) => `Run ${of(d, 'run_id')} has succeeded: ${of(d, 'records_loaded')} records loaded`,
  },
  'run.partial': {
    severity: 'warning',
    say: (d) => `Run ${of(d, 'run_id')} has succeeded for some of its objects only`,
  },
  'run.failed': { severity: 'error', say: (d) => `Run ${of(d, 'run_id')} has failed` },
  'object.failed': { severity: 'error', say: (d) => `${of(d, 'object')} could not be synchronised: ${errorOf(d)}` },
  'schema.changed': { severity: 'info', say: (d) => `The table of ${of(d, 'object')} has changed` },
  'records.rejected': {
    severity: 'warning',
    say: (d) => `${of(d, 'records')} records of ${of(d, 'object')} could not be loaded`,
  },
  'records.digest': {
    severity: 'warning',
    say: (d) => `${of(d, 'records')} rejected records wait to be replayed or discarded`,
  },
  'records.spiked': {
    severity: 'warning',
    say: (d) =>
      `A run has read ${of(d, 'records_extracted')} records, where ${of(d, 'usual')} are usual, of pipeline ${of(d, 'pipeline_id')}${pausedIf(d)}`,
  },
  'quota.reached': {
    severity: 'warning',
    say: (d) =>
      `${of(d, 'percent')} % of the ${of(d, 'quota')} records of ${of(d, 'month')} are read by pipeline ${of(d, 'pipeline_id')}${pausedIf(d)}`,
  },
  'credential.refused': {
    severity: 'error',
    say: (d) => `Freshdesk refuses the key of pipeline ${of(d, 'pipeline_id')}: ${errorOf(d)}`,
  },
  'freshness.missed': {
    severity: 'warning',
    say: (d) =>
      `${of(d, 'object')} is further behind than ${of(d, 'max_staleness_minutes')} minutes, in pipeline ${of(d, 'pipeline_id')}`,
  },
  'freshness.restored': {
    severity: 'info',
    say: (d) => `${of(d, 'object')} has caught up, in pipeline ${of(d, 'pipeline_id')}`,
  },
  'erasure.completed': { severity: 'info', say: (d) => `Erasure ${of(d, 'erasure_id')} is completed` },
  'erasure.failed': { severity: 'error', say: (d) => `Erasure ${of(d, 'erasure_id')} has failed: ${errorOf(d)}` },
  'job.died': {
    severity: 'error',
    say: (d) =>
      `A job of the queue ${of(d, 'queue')} was set aside after ${of(d, 'attempts')} tries: ${of(d, 'reason')}`,
  },
  'webhook.disabled': {
    severity: 'warning',
    say: (d) => `The webhook “${of(d, 'name')}” was disabled: ${of(d, 'reason')}`,
  },
  'webhook.test': { severity: 'info', say: (d) => `A test of the webhook “${of(d, 'name')}”` },
};

export interface Message {
  readonly id: string;
  readonly type: EventType;
  readonly at: Date;
  readonly data: Data;
}

export function severityOf({ type }: Message): Severity {
  return SAYINGS[type].severity;
}

export function summaryOf({ type, data }: Message): string {
  const said = SAYINGS[type].say(data);
  // What failed says it in a sentence of its own.
  return said.endsWith('.') ? said : `${said}.`;
}

/** What stands for `{{…}}` in a receiver's own template or URL. A name that means nothing stays as it is, so that somebody sees it. */
export function filledIn(template: unknown, message: Message, secret: string | null): unknown {
  if (typeof template === 'string') return filledText(template, message, secret);
  if (Array.isArray(template)) return template.map((item) => filledIn(item, message, secret));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filledIn(value, message, secret)]));
}

function filledText(text: string, message: Message, secret: string | null): unknown {
  if (text === '{{data}}') return message.data;
  return text.replaceAll(/\{\{([a-z_.]+)\}\}/g, (whole, name: string) => {
    const value = meant(name, message, secret);
    return value === undefined ? whole : typeof value === 'string' ? value : JSON.stringify(value);
  });
}

function meant(name: string, message: Message, secret: string | null): unknown {
  if (name === 'secret') return secret ?? undefined;
  if (name === 'summary') return summaryOf(message);
  if (name === 'severity') return severityOf(message);
  if (name === 'timestamp') return message.at.toISOString();
  if (name === 'type' || name === 'id' || name === 'data') return message[name];
  const [first, ...path] = name.split('.');
  if (first !== 'data') return undefined;
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? (at as Data)[step] : undefined),
    message.data,
  );
}
