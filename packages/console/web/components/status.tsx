import type { ReactNode } from 'react';

/** The tone of a status. The status is always shown as a word and a color. */
export type Tone = 'good' | 'running' | 'attention' | 'failed' | 'neutral';

const TONES: Readonly<Record<string, Tone>> = {
  healthy: 'good',
  succeeded: 'good',
  active: 'good',
  alive: 'good',
  available: 'good',
  completed: 'good',
  delivered: 'good',
  enabled: 'good',
  running: 'running',
  queued: 'running',
  pending: 'running',
  waiting_for_credits: 'running',
  partial: 'attention',
  late: 'attention',
  expired: 'attention',
  quiet: 'attention',
  failed: 'failed',
  error: 'failed',
};

const LABELS: Readonly<Record<string, string>> = {
  waiting_for_credits: 'Waiting for credits',
  not_in_plan: 'Not in your plan',
  forbidden: 'Not permitted',
  quiet: 'No heartbeat',
};

function getTone(status: string): Tone {
  return TONES[status] ?? 'neutral';
}

/** Converts a status of the API to a label: "waiting_for_credits" to "Waiting for credits". */
function getStatusLabel(status: string): string {
  return LABELS[status] ?? status.charAt(0).toUpperCase() + status.slice(1).replaceAll('_', ' ');
}

interface StatusProps {
  readonly value: string;
  /** Replaces the label of the status. */
  readonly children?: ReactNode;
  readonly tone?: Tone;
}

export function Status({ value, children, tone = getTone(value) }: StatusProps) {
  return (
    <span className="status" data-tone={tone}>
      {children ?? getStatusLabel(value)}
    </span>
  );
}
