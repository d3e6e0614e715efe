import { Button, Group } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type ComponentType, useState } from 'react';
import { ConfirmDialog } from '../../components/actions.tsx';
import { usePermission } from '../../components/guarded.tsx';
import type { HelpTopic } from '../../components/help-topics.ts';
import { PageHeader } from '../../components/page.tsx';
import { Empty } from '../../components/states.tsx';
import { ConnectStep } from './connect-step.tsx';
import { DestinationStep } from './destination-step.tsx';
import { STEPS, type StepName } from './draft-storage.ts';
import { ObjectsStep } from './objects-step.tsx';
import { ReviewStep } from './review-step.tsx';
import { ScheduleStep } from './schedule-step.tsx';
import { StepList } from './step-list.tsx';
import { type StepProps, useDraft } from './use-draft.ts';

const COMPONENTS: Readonly<Record<StepName, ComponentType<StepProps>>> = {
  connect: ConnectStep,
  objects: ObjectsStep,
  destination: DestinationStep,
  schedule: ScheduleStep,
  review: ReviewStep,
};
const TITLES: Readonly<Record<StepName, string>> = {
  connect: 'Connect Freshdesk',
  objects: 'Choose objects',
  destination: 'Choose a destination',
  schedule: 'Set the schedule',
  review: 'Review and create',
};

const HELP: Readonly<Record<StepName, HelpTopic>> = {
  connect: 'connectFreshdesk',
  objects: 'objects',
  destination: 'connectPostgresql',
  schedule: 'schedule',
  review: 'createPipeline',
};

/** The wizard that creates a pipeline. The draft is stored, so users can leave and resume it. */
export function WizardPage() {
  const { isAllowed, reason } = usePermission('manage_pipelines');
  const state = useDraft();
  const navigate = useNavigate();
  const [isDiscarding, setDiscarding] = useState(false);
  const { draft, update, discard } = state;
  const index = STEPS.indexOf(draft.step);
  const go = (step: StepName | undefined) => {
    if (step === undefined) return;
    update({ step });
    window.scrollTo({ top: 0 });
  };
  if (!isAllowed) {
    return (
      <>
        <PageHeader title="Create pipeline" help="createPipeline" crumbs={[{ label: 'Pipelines', to: '/' }]} />
        <Empty title="You cannot create pipelines" icon="lock">
          {reason}
        </Empty>
      </>
    );
  }
  const Step = COMPONENTS[draft.step];
  const hasContent = draft.name !== '' || draft.subdomain !== '' || draft.credentialId !== null;
  return (
    <>
      <PageHeader
        title={TITLES[draft.step]}
        help={HELP[draft.step]}
        crumbs={[
          { label: 'Pipelines', to: '/' },
          { label: 'Create pipeline', to: '/pipelines/new' },
        ]}
        actions={
          hasContent ? (
            <Group gap="xs">
              <Button variant="subtle" color="gray" onClick={() => setDiscarding(true)}>
                Discard draft
              </Button>
              <Button variant="default" onClick={() => void navigate({ to: '/' })}>
                Save and finish later
              </Button>
            </Group>
          ) : null
        }
      />
      <StepList current={draft.step} onSelect={go} />
      <Step
        key={draft.step}
        {...state}
        onNext={() => go(STEPS[index + 1])}
        onBack={() => (index === 0 ? void navigate({ to: '/' }) : go(STEPS[index - 1]))}
      />
      {isDiscarding ? (
        <ConfirmDialog
          title="Discard this draft?"
          confirmLabel="Discard draft"
          isDangerous
          onConfirm={async () => {
            await discard();
            await navigate({ to: '/' });
          }}
          onClose={() => setDiscarding(false)}
        >
          The choices of this set-up and the API key that you entered are deleted. A destination that you created stays
          available under Destinations.
        </ConfirmDialog>
      ) : null}
    </>
  );
}
