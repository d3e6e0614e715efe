import { Button, Grid, Slider, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Card } from '../../components/page.tsx';
import { formatNumber } from '../../format/numbers.ts';
import { previewCron } from '../schedule/cron.ts';
import { ScheduleFields } from '../schedule/schedule-fields.tsx';
import { getAccountLimit } from './estimates.ts';
import { accountTestQuery } from './queries.ts';
import { StepButtons } from './step-list.tsx';
import type { StepProps } from './use-draft.ts';

/** The fourth step: when the pipeline runs, and its share of the rate limit. */
export function ScheduleStep({ draft, update, onNext, onBack }: StepProps) {
  const { data: test } = useQuery(accountTestQuery(draft.subdomain, draft.credentialId));
  const isValid =
    draft.schedule === null || previewCron(draft.schedule.cron, draft.schedule.time_zone, 1).error === null;
  return (
    <>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Card title="Schedule">
            <ScheduleFields frequencyMinutes={draft.frequencyMinutes} schedule={draft.schedule} onChange={update} />
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Card title="Share of the rate limit" description="Credits are the units of Freshdesk’s rate limit.">
            <CreditShare
              percent={draft.creditSharePercent}
              limit={test ? getAccountLimit(test.limits) : null}
              onChange={(creditSharePercent) => update({ creditSharePercent })}
            />
          </Card>
        </Grid.Col>
      </Grid>
      <StepButtons onBack={onBack}>
        <Button onClick={onNext} disabled={!isValid}>
          Continue
        </Button>
      </StepButtons>
    </>
  );
}

interface CreditShareProps {
  readonly percent: number;
  /** The credits of the account per minute. Null: unknown. */
  readonly limit: number | null;
  readonly onChange: (percent: number) => void;
}

/** A slider for the share of the rate limit, with what remains for agents and other apps. */
export function CreditShare({ percent, limit, onChange }: CreditShareProps) {
  const own = limit === null ? null : Math.max(1, Math.floor((limit * percent) / 100));
  return (
    <Stack gap="md">
      <Slider
        min={5}
        max={100}
        step={5}
        value={percent}
        onChange={onChange}
        label={(value) => `${value} %`}
        thumbLabel="Share of the rate limit"
        marks={[{ value: 20 }, { value: 50 }, { value: 80 }]}
      />
      <Text size="sm">
        <strong>{percent} %</strong>
        {own === null || limit === null
          ? ' of the account’s credits are available to Freshet.'
          : `: Freshet uses at most ${formatNumber(own)} of ${formatNumber(limit)} credits a minute. ${formatNumber(limit - own)} stay free for your other apps.`}
      </Text>
    </Stack>
  );
}
