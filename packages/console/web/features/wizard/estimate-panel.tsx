import { Divider, NumberInput, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { Notice } from '../../components/notice.tsx';
import { Card } from '../../components/page.tsx';
import { ActionError, Loading } from '../../components/states.tsx';
import { formatApproximate, formatDuration, formatNumber } from '../../format/numbers.ts';
import type { Draft } from './draft-storage.ts';
import { estimateMinutes, getAccountLimit, sumEstimates } from './estimates.ts';
import type { StepProps } from './use-draft.ts';

interface EstimatePanelProps {
  readonly draft: Draft;
  readonly update: StepProps['update'];
  readonly selected: readonly string[];
  readonly estimate: UseQueryResult<Schemas['Estimate'], Error>;
  readonly test: Schemas['PipelineTestResult'];
  readonly readableCount: number;
  readonly totalCount: number;
}

/** The panel beside the objects: how far back the first sync reads, and what it costs. */
export function EstimatePanel(props: EstimatePanelProps) {
  const { draft, update, estimate, test, readableCount, totalCount } = props;
  return (
    <Stack className="sticky" gap="sm">
      <Card title="Historical sync" description="How far back the first sync reads">
        <HistoryControl
          days={draft.historicalSyncDays}
          onChange={(historicalSyncDays) => update({ historicalSyncDays })}
        />
        <Divider my="md" />
        <Title order={3} mb="xs">
          Estimate
        </Title>
        <div aria-live="polite" aria-busy={estimate.isFetching}>
          {estimate.data ? (
            <Totals {...props} data={estimate.data} />
          ) : estimate.error ? (
            <ActionError error={estimate.error} />
          ) : (
            <Loading label="Estimating the credits" rows={3} />
          )}
        </div>
      </Card>
      <Notice tone="running">
        This key may read <strong>{readableCount}</strong> of {totalCount} objects.{' '}
        {test.objects.some(({ verdict }) => verdict === 'not_in_plan')
          ? 'Some objects are not in the plan of the account.'
          : ''}
      </Notice>
    </Stack>
  );
}

const CHOICES = [30, 90, 365];

function HistoryControl({
  days,
  onChange,
}: {
  readonly days: number | null;
  readonly onChange: (days: number | null) => void;
}) {
  const [isCustom, setCustom] = useState(days !== null && !CHOICES.includes(days));
  const value = isCustom ? 'custom' : days === null ? 'all' : String(days);
  return (
    <Stack gap="xs">
      <SegmentedControl
        aria-label="Historical sync"
        fullWidth
        size="xs"
        value={value}
        onChange={(next) => {
          setCustom(next === 'custom');
          if (next !== 'custom') onChange(next === 'all' ? null : Number(next));
        }}
        data={[
          { value: '30', label: '30 days' },
          { value: '90', label: '90 days' },
          { value: '365', label: '1 year' },
          { value: 'all', label: 'All' },
          { value: 'custom', label: 'Other' },
        ]}
      />
      {isCustom ? (
        <NumberInput
          label="Days"
          min={1}
          max={36_500}
          value={days ?? 730}
          onChange={(next) => typeof next === 'number' && next >= 1 && onChange(next)}
        />
      ) : null}
    </Stack>
  );
}

function Totals({ draft, selected, test, data }: EstimatePanelProps & { readonly data: Schemas['Estimate'] }) {
  const { records, credits, unchangedCredits } = sumEstimates(data.objects, selected);
  const limit = getAccountLimit(test.limits);
  const minutes = estimateMinutes(credits, limit, draft.creditSharePercent);
  const conversations = data.objects.find(({ object }) => object === 'conversations');
  const isConversationHeavy =
    conversations !== undefined && selected.includes('conversations') && conversations.credits > credits / 2;
  return (
    <Stack gap="sm">
      <dl className="facts">
        <dt>Credits, first sync</dt>
        <dd>{formatNumber(credits)}</dd>
        <dt>{limit === null ? 'Time' : `Time (${formatNumber(limit)}/min, share ${draft.creditSharePercent} %)`}</dt>
        <dd>{formatDuration(minutes * 60)}</dd>
        <dt>Credits, each later sync</dt>
        <dd>≈ {formatNumber(unchangedCredits)}</dd>
        <dt>Rows</dt>
        <dd>{formatApproximate(records)}</dd>
        <dt>Tables</dt>
        <dd>{selected.length}</dd>
      </dl>
      {isConversationHeavy ? (
        <Notice tone="attention">
          Conversations cost one credit for each ticket: {formatNumber(conversations.credits)} of{' '}
          {formatNumber(credits)} credits.
          {draft.historicalSyncDays === null ? ' A shorter history needs fewer credits.' : ''}
        </Notice>
      ) : null}
      <Text size="xs" c="dimmed">
        A later sync costs at least this much, and one credit for each page of changed records. This estimate used{' '}
        {formatNumber(data.spent)} credits.
      </Text>
    </Stack>
  );
}
