import { Stack, Text } from '@mantine/core';
import type { Schemas } from '../../api/client.ts';
import { Card } from '../../components/page.tsx';
import { ProgressBar } from '../../components/progress.tsx';
import { Time } from '../../components/time.tsx';
import { formatNumber } from '../../format/numbers.ts';
import { getCreditClassLabel } from './usage-data.ts';

/** The credits that an account has used in the current minute. */
export function BudgetCard({ budget }: { readonly budget: Schemas['Budget'] }) {
  return (
    <Card
      title="Rate limit of the account"
      // A page can contain the cards of several accounts.
      aria-label={`Rate limit of the account ${budget.subdomain}`}
      description={`${budget.subdomain}.freshdesk.com: credits used in the current minute, by all clients`}
    >
      {budget.buckets.length === 0 ? (
        <Text c="dimmed">Freshet has not sent requests to this account yet.</Text>
      ) : (
        <Stack gap="md">
          {budget.buckets.map((bucket) => (
            <Bucket key={bucket.bucket} bucket={bucket} />
          ))}
        </Stack>
      )}
    </Card>
  );
}

function Bucket({ bucket }: { readonly bucket: Schemas['CreditBucket'] }) {
  const { bucket: name, total, used, unlimited, blocked_until, classes } = bucket;
  const label = name === 'account' ? 'All requests' : `List of ${name.replace(/_list$/, '')}`;
  const active = classes.filter((c) => c.used > 0);
  return (
    <Stack gap={4}>
      <Text size="sm" className="tabular">
        <strong>{label}</strong>: {formatNumber(used)} of{' '}
        {unlimited || total === null ? 'unlimited' : formatNumber(total)}
      </Text>
      {total === null || unlimited ? null : (
        <ProgressBar
          label={`${label}, credits of this minute`}
          share={Math.min(1, used / Math.max(1, total))}
          tone={used >= total ? 'attention' : 'running'}
        />
      )}
      <Text size="sm" c="dimmed">
        {blocked_until === null ? (
          ''
        ) : (
          <>
            Freshdesk refuses requests; Freshet continues <Time value={blocked_until} />.{' '}
          </>
        )}
        {active.length === 0
          ? 'Freshet is idle.'
          : active.map((c) => `${getCreditClassLabel(c.class)} ${formatNumber(c.used)}`).join(' · ')}
      </Text>
    </Stack>
  );
}
