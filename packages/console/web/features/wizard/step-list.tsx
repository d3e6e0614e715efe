import { Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../components/icon.tsx';
import { STEPS, type StepName } from './draft-storage.ts';

const LABELS: Readonly<Record<StepName, string>> = {
  connect: 'Connect',
  objects: 'Objects',
  destination: 'Destination',
  schedule: 'Schedule',
  review: 'Review',
};

/** The steps of the wizard. Completed steps are buttons that lead back. */
export function StepList({
  current,
  onSelect,
}: {
  readonly current: StepName;
  readonly onSelect: (step: StepName) => void;
}) {
  const index = STEPS.indexOf(current);
  return (
    <ol className="steps" aria-label="Steps">
      {STEPS.map((step, i) => (
        <li key={step}>
          {i < index ? (
            <button type="button" className="step" data-done onClick={() => onSelect(step)}>
              <span className="step-mark">
                <Icon name="check" size={14} />
              </span>
              {LABELS[step]}
              <span className="sr-only">, completed</span>
            </button>
          ) : (
            <span className="step" {...(i === index ? { 'aria-current': 'step' as const } : {})}>
              <span className="step-mark">{i + 1}</span>
              {LABELS[step]}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

/** The buttons below a step. */
export function StepButtons({ onBack, children }: { readonly onBack: () => void; readonly children: ReactNode }) {
  return (
    <Group justify="space-between" mt="lg">
      <Button variant="default" onClick={onBack} type="button">
        Back
      </Button>
      {children}
    </Group>
  );
}
