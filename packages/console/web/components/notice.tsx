import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import type { Tone } from './status.tsx';

const ICONS: Readonly<Record<Tone, IconName>> = {
  good: 'success',
  running: 'info',
  attention: 'warning',
  failed: 'error',
  neutral: 'info',
};

/** A sentence that deserves attention, with the tone of a status. */
export function Notice({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <div className="notice" data-tone={tone}>
      <Icon name={ICONS[tone]} size={18} />
      <div>{children}</div>
    </div>
  );
}
