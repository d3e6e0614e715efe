import { Text, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Card } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { formatBytes, formatCount, formatDuration, formatNumber } from '../../format/numbers.ts';
import { getObjectTone, isNotable, isOpen, sortObjects } from './run-progress.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

/** The objects of a run, with their times and the numbers of read, loaded and rejected records. */
export function RunObjects({ run }: { readonly run: Run }) {
  const [isComplete, setComplete] = useState(false);
  const sorted = sortObjects(run.objects);
  const notable = sorted.filter(isNotable);
  // If no object is notable, show all objects instead of an empty table.
  const canFold = notable.length > 0 && notable.length < sorted.length;
  const shown = canFold && !isComplete ? notable : sorted;
  return (
    <Card title="Objects">
      <DataTable label="Objects" columns={buildColumns(run)} rows={shown} getKey={(o) => o.object} minWidth={860} />
      {canFold ? (
        <Text size="sm" c="dimmed" mt="xs">
          {isComplete
            ? 'All objects are shown'
            : `${formatCount(sorted.length - shown.length, 'object')} without changes`}{' '}
          ·{' '}
          <UnstyledButton className="text-button" onClick={() => setComplete(!isComplete)}>
            {isComplete ? 'hide objects without changes' : 'show all'}
          </UnstyledButton>
        </Text>
      ) : null}
    </Card>
  );
}

function buildColumns(run: Run): Column<ObjectRun>[] {
  return [
    {
      title: 'Object',
      cell: (o) => (
        <>
          <span className="object-name">{o.object}</span>
          <Messages object={o} />
        </>
      ),
    },
    { title: 'Status', cell: (o) => <Status value={o.status} tone={getObjectTone(o)} /> },
    { title: 'Timeline', width: '16%', cell: (o) => <Timeline object={o} run={run} /> },
    { title: 'Read', isNumber: true, cell: (o) => formatNumber(o.records_extracted) },
    { title: 'Loaded', isNumber: true, cell: (o) => formatNumber(o.records_loaded) },
    { title: 'Unchanged', isNumber: true, cell: (o) => formatNumber(o.records_unchanged) },
    { title: 'Deleted', isNumber: true, cell: (o) => formatNumber(o.records_deleted) },
    { title: 'Rejected', isNumber: true, cell: (o) => <Attention value={o.records_rejected} /> },
    // A column of zeros would only make the table wider.
    ...(run.objects.some((o) => o.failed_units > 0)
      ? [{ title: 'Failed units', isNumber: true, cell: (o: ObjectRun) => <Attention value={o.failed_units} /> }]
      : []),
    {
      title: 'Credits',
      isNumber: true,
      cell: (o) => <span title={`${formatBytes(o.bytes_staged)} read`}>{formatNumber(o.credits_used)}</span>,
    },
  ];
}

function Attention({ value }: { readonly value: number }) {
  return value === 0 ? <>0</> : <strong className="attention">{formatNumber(value)}</strong>;
}

function Messages({ object }: { readonly object: ObjectRun }) {
  const { findings } = object;
  const texts = [
    // The notice above the progress states the errors of open objects.
    ...(object.error === null || isOpen(object) ? [] : [object.error.message]),
    ...object.warnings.filter((w) => object.error === null || w.code !== 'object_unavailable').map((w) => w.message),
    ...(findings === null || findings.missing + findings.stale + findings.repaired === 0
      ? []
      : [
          `Audit: ${formatNumber(findings.missing)} missing, ${formatNumber(findings.stale)} stale, ${formatNumber(findings.repaired)} repaired.`,
        ]),
  ];
  if (texts.length === 0) return null;
  return (
    <Text size="sm" c="dimmed" maw={360}>
      {texts.join(' ')}
    </Text>
  );
}

/** The time of an object run within the run. */
function Timeline({ object, run }: { readonly object: ObjectRun; readonly run: Run }) {
  const start = Date.parse(run.started_at ?? run.created_at);
  const end = run.finished_at === null ? Date.now() : Date.parse(run.finished_at);
  const total = Math.max(1, end - start);
  if (object.started_at === null) return <span className="timeline-empty">—</span>;
  const from = Math.max(0, Date.parse(object.started_at) - start);
  const until = (object.finished_at === null ? Date.now() : Date.parse(object.finished_at)) - start;
  const label = `${formatDuration((until - from) / 1000)}, started after ${formatDuration(from / 1000)}`;
  return (
    <div className="timeline" data-tone={getObjectTone(object)} role="img" aria-label={label} title={label}>
      <div
        style={{
          insetInlineStart: `${Math.min(98, (from / total) * 100)}%`,
          inlineSize: `${Math.min(100, Math.max(1, ((until - from) / total) * 100))}%`,
        }}
      />
    </div>
  );
}
